import { having, optionsOf, read } from '../../core/check.ts';
import type { Teller } from '../channels.ts';
import { type MeterOptions, meterOptions, policiesOf } from '../meter/meter.ts';
import type { OtelMeter, OtelTrace } from './client.ts';
import { metricsOf } from './metrics.ts';
import { spanEvents } from './spans.ts';

export type * from './client.ts';
export { type Traced, traced } from './spans.ts';
export type { MeterOptions };

/** Options of `otel`: `meter`, `trace` or both. */
export interface OtelOptions extends MeterOptions {
  /** Makes the instruments: `metrics.getMeter('recloser')`. */
  readonly meter?: OtelMeter | undefined;
  /** The `trace` of the API: events are added to the active span. */
  readonly trace?: OtelTrace | undefined;
}

/** Metrics and span events for OpenTelemetry. */
export interface OtelSink {
  /** Adds policies that were made before the sink. @throws TypeError */
  watch(...policies: readonly object[]): void;
  /** Stops listening. */
  close(): void;
}

const known = optionsOf<object, OtelOptions>(
  {},
  {
    ...meterOptions,
    meter: having('a meter', {
      createHistogram: 'function',
      createObservableGauge: 'function',
      addBatchObservableCallback: 'function',
    }),
    trace: having('the trace API', { getActiveSpan: 'function' }),
  },
);

/**
 * Metrics and span events of all policies for OpenTelemetry, as listed in the documentation. Histograms are recorded in the context of the
 * call, so that an SDK can keep exemplars. Make it first: it learns of a policy made before it only when that has something to tell, unless
 * it is among `policies`.
 *
 * @throws TypeError, RangeError with all faults of the options together
 * @example
 * otel({ meter: metrics.getMeter('recloser'), trace });
 */
export function otel(options: OtelOptions): OtelSink {
  const { meter, trace, ...given } = read('otel', options, known);
  const figures = meter && metricsOf(meter, given);
  const silence = trace && spanEvents(trace);
  return {
    watch: (...policies) => figures?.watch(read('watch', policies, policiesOf) as Iterable<Teller>),
    close() {
      figures?.stop();
      silence?.();
    },
  };
}
