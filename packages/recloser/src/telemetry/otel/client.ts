// What is used of `@opentelemetry/api`. None is imported: the user gives their own. Tested with 1.9.

/** Values of attributes. */
export type Attributes = Record<string, string | number | boolean>;

/** Options of an instrument. */
export interface InstrumentOptions {
  readonly description: string;
  readonly unit: string;
  readonly advice?: { explicitBucketBoundaries: number[] };
}

/** A histogram. */
export interface OtelHistogram {
  /** Takes up one observation. */
  record(value: number, attributes: Attributes): void;
}

/** What the callback of a collection is given. */
export interface OtelResult {
  /** Reports the value of an instrument. */
  observe(instrument: never, value: number, attributes: Attributes): void;
}

/** A `Meter`. */
export interface OtelMeter {
  /** Makes a histogram. */
  createHistogram(name: string, options: InstrumentOptions): OtelHistogram;
  /** Makes a counter that is read. */
  createObservableCounter(name: string, options: InstrumentOptions): object;
  /** Makes a sum that is read. */
  createObservableUpDownCounter(name: string, options: InstrumentOptions): object;
  /** Makes a gauge that is read. */
  createObservableGauge(name: string, options: InstrumentOptions): object;
  /** Reads many at once. */
  addBatchObservableCallback(callback: (result: OtelResult) => void, instruments: never[]): void;
  /** Takes the callback off again. */
  removeBatchObservableCallback(callback: (result: OtelResult) => void, instruments: never[]): void;
}

/** A `Span`. */
export interface OtelSpan {
  /** Whether it records what it is told. */
  isRecording(): boolean;
  /** Adds an event. */
  addEvent(name: string, attributes: Attributes): unknown;
  /** Sets an attribute. */
  setAttribute(key: string, value: string | number | boolean): unknown;
  /** Sets how it ended. */
  setStatus(status: { code: number; message?: string }): unknown;
  /** Ends it. */
  end(): void;
}

/** The `trace` of the API. */
export interface OtelTrace {
  /** The active span. */
  getActiveSpan(): OtelSpan | undefined;
}

/** A `Tracer`. */
export interface OtelTracer {
  /** Starts a span, and runs the function with it active. */
  startActiveSpan<T>(name: string, options: { attributes: Attributes }, run: (span: never) => T): T;
}
