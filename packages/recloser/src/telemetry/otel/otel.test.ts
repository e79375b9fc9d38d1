import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import {
  AggregationTemporality,
  InMemoryMetricExporter,
  MeterProvider,
  PeriodicExportingMetricReader,
} from '@opentelemetry/sdk-metrics';
import { BasicTracerProvider, InMemorySpanExporter, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-base';
import { bulkhead, circuitBreaker, failureRate, pipeline, retry, timeout } from 'recloser';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { chance } from '../../../../../test/support/chance.ts';
import { manualClock } from '../../testing/index.ts';
import { instruments } from '../instruments.ts';
import { type OtelSink, otel, traced } from './index.ts';

const failing = (): never => {
  throw Object.assign(new Error('secret words'), { code: 'ECONNREFUSED' });
};
let sink: OtelSink | undefined;
afterEach(() => sink?.close());

describe('metrics, read by OpenTelemetry’s own SDK', () => {
  const exporter = new InMemoryMetricExporter(AggregationTemporality.CUMULATIVE);
  const reader = new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 3_600_000 });
  const provider = new MeterProvider({ readers: [reader] });
  let meters = 0;
  afterAll(() => provider.shutdown());

  function setUp(maxNames?: number): void {
    meters++;
    sink = otel({ meter: provider.getMeter(`recloser-${meters}`), maxNames });
  }
  /** The points of an instrument, as of now: `value` is a number, or a histogram. */
  async function points(name: string): Promise<{ attributes: Record<string, unknown>; value: unknown }[]> {
    exporter.reset();
    await reader.forceFlush();
    const scopes = exporter.getMetrics().flatMap(({ scopeMetrics }) => scopeMetrics);
    const scope = scopes.find((each) => each.scope.name === `recloser-${meters}`);
    const metric = scope?.metrics.find(({ descriptor }) => descriptor.name === name);
    return (metric?.dataPoints ?? []) as { attributes: Record<string, unknown>; value: unknown }[];
  }

  test('totals are those of metrics(), whatever happens', async () => {
    const seed = Number(process.env.RECLOSER_SEED ?? Math.floor(Math.random() * 2 ** 31));
    console.log(`seed ${seed}`);
    const dice = chance(seed);
    const clock = manualClock();
    setUp();
    const breaker = circuitBreaker({
      name: 'payments',
      clock,
      random: dice.unit,
      failureThreshold: 2,
      sleepWindowMs: 50,
      timeoutMs: 20,
      maxConcurrent: 5,
      fallback: (error: unknown) => {
        if (dice.unit() < 0.5) throw error;
        return 'plan B';
      },
    });
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 500; i++) {
      const ms = Math.floor(dice.unit() * 30);
      const works = dice.unit() < 0.7;
      const gaveUp = new AbortController();
      if (dice.unit() < 0.1) clock.setTimeout(() => gaveUp.abort(), 10);
      const work = (): Promise<string> =>
        new Promise((resolve, reject) => {
          clock.setTimeout(() => (works ? resolve('ok') : reject(new Error('down'))), ms);
        });
      calls.push(breaker.execute(work, { signal: gaveUp.signal }).catch(() => {}));
      await clock.advance(Math.floor(dice.unit() * 10));
    }
    await clock.advance(1_000);
    await Promise.all(calls);
    const figures = breaker.metrics();
    const durations = await points('recloser.execution.duration');
    const count = (...outcomes: string[]): number =>
      durations
        .filter(({ attributes }) => outcomes.includes(attributes.outcome as string))
        .reduce((sum, { value }) => sum + (value as { count: number }).count, 0);
    const sum = async (name: string): Promise<number> =>
      (await points(name)).reduce((total, { value }) => total + (value as number), 0);
    expect(count('success')).toBe(figures.successfulRequests);
    expect(count('failure', 'timeout')).toBe(figures.failedRequests);
    expect(count('timeout')).toBe(figures.timedOutRequests);
    expect(count('cancelled', 'ignored')).toBe(figures.ignoredRequests);
    expect(await sum('recloser.rejections')).toBe(figures.rejectedRequests);
    expect(await sum('recloser.errors')).toBe(figures.failedRequests);
    expect(await sum('recloser.fallbacks')).toBe(figures.fallbackRequests);
    expect(figures.rejectedRequests).toBeGreaterThan(0);
    const transitions = await points('recloser.circuit_breaker.transitions');
    const openings = transitions.filter(({ attributes }) => attributes.to === 'open');
    // The first generation is the beginning, and each transition begins another.
    expect(await sum('recloser.circuit_breaker.transitions')).toBe(figures.generation - 1);
    expect(openings.length).toBeGreaterThan(0);
    expect(
      (await points('recloser.circuit_breaker.state'))
        .filter(({ value }) => value === 1)
        .map((p) => p.attributes.state),
    ).toEqual([figures.state.replace('-', '_')]);
  });

  test('histograms have the bounds of the table, and seconds', async () => {
    const clock = manualClock();
    setUp();
    const breaker = circuitBreaker({ name: 'a', clock });
    const call = breaker.execute(
      () =>
        new Promise<void>((resolve) => {
          clock.setTimeout(resolve, 300);
        }),
    );
    await clock.advance(300);
    await call;
    expect(await points('recloser.execution.duration')).toMatchObject([
      {
        attributes: { name: 'a', outcome: 'success' },
        value: { sum: 0.3, count: 1, buckets: { boundaries: instruments.duration.buckets } },
      },
    ]);
  });

  test('names beyond the limit go together', async () => {
    setUp(1);
    circuitBreaker({ name: 'a' });
    circuitBreaker({ name: 'b' });
    const names = (await points('recloser.circuit_breaker.state')).map(({ attributes }) => attributes.name);
    expect([...new Set(names)]).toEqual(['a', '_overflow']);
    expect(await points('recloser.telemetry.overflows')).toMatchObject([{ attributes: {}, value: 1 }]);
  });

  test('what is gone is 0 for a cumulative reader, and no circuit stays open for ever', async () => {
    setUp();
    const breaker = circuitBreaker({
      name: 'a',
      trip: failureRate({ threshold: 0.5, windowCalls: 4, minimumCalls: 2 }),
    });
    await breaker.execute(() => 1);
    await breaker.execute(failing).catch(() => {});
    const ratio = async () => (await points('recloser.circuit_breaker.failure.ratio')).map(({ value }) => value);
    expect(await ratio()).toEqual([0.5]);
    breaker.reset();
    expect(await ratio()).toEqual([0]);
    breaker.forceOpen();
    await points('recloser.circuit_breaker.state');
    breaker.dispose();
    expect((await points('recloser.circuit_breaker.state')).filter(({ value }) => value !== 0)).toEqual([]);
    expect((await points('recloser.circuit_breaker.state')).filter(({ value }) => value !== 0)).toEqual([]);
  });

  test('retry and bulkhead; closed, it hears no more', async () => {
    setUp();
    const policy = pipeline(
      retry({ name: 'again', attempts: 3, backoff: () => 0 }),
      bulkhead({ name: 'two', maxConcurrent: 2 }),
    );
    await policy.execute(failing).catch(() => {});
    expect(await points('recloser.retry.attempts')).toMatchObject([{ value: { sum: 3, count: 1 } }]);
    expect(await points('recloser.bulkhead.limit')).toMatchObject([{ attributes: { name: 'two' }, value: 2 }]);
    sink?.close();
    await policy.execute(failing).catch(() => {});
    expect(await points('recloser.retry.attempts')).toMatchObject([{ value: { sum: 3, count: 1 } }]);
  });
});

describe('spans', () => {
  const exporter = new InMemorySpanExporter();
  const provider = new BasicTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
  const tracer = provider.getTracer('test');
  const manager = new AsyncLocalStorageContextManager();
  beforeAll(() => {
    context.setGlobalContextManager(manager.enable());
  });
  beforeEach(() => exporter.reset());
  afterAll(() => {
    context.disable();
    manager.disable();
    return provider.shutdown();
  });
  const spans = () =>
    exporter.getFinishedSpans().map((span) => ({
      name: span.name,
      attributes: span.attributes,
      status: span.status,
      events: span.events.map((event) => [event.name, event.attributes] as const),
      id: span.spanContext().spanId,
      parent: span.parentSpanContext?.spanId,
    }));

  test('a span of each call, with what the function does inside it', async () => {
    const breaker = traced(circuitBreaker({ name: 'payments' }), tracer);
    await breaker.execute(() => tracer.startActiveSpan('http', (span) => span.end()));
    const [inner, outer] = spans();
    expect(outer).toMatchObject({
      name: 'recloser payments',
      attributes: { 'recloser.circuit_breaker.name': 'payments', 'recloser.circuit_breaker.state': 'closed' },
      status: { code: 0 },
    });
    expect(inner).toMatchObject({ name: 'http', parent: outer?.id });
  });

  test('a refusal is an error of the span, with its reason, and so is a deadline; an abort is none', async () => {
    const circuit = circuitBreaker({ name: 'payments' });
    const breaker = traced(circuit, tracer);
    const gaveUp = AbortSignal.abort(new Error('changed my mind'));
    await expect(breaker.execute(() => 1, { signal: gaveUp })).rejects.toThrow('changed my mind');
    const late = AbortSignal.abort(new DOMException('too late', 'TimeoutError'));
    await expect(breaker.execute(() => 1, { signal: late })).rejects.toThrow('too late');
    circuit.forceOpen();
    await expect(breaker.execute(() => 1)).rejects.toThrow('the circuit is forced-open');
    expect(spans()).toMatchObject([
      { status: { code: 0 } },
      { status: { code: 2 } },
      {
        status: { code: 2, message: 'ERR_CIRCUIT_OPEN' },
        attributes: { 'recloser.rejection.reason': 'forced_open', 'error.type': 'ERR_CIRCUIT_OPEN' },
      },
    ]);
  });

  test('what happens is an event of the span at work, each call’s own, also where a timer tells it', async () => {
    const clock = manualClock();
    sink = otel({ trace });
    const policy = pipeline(
      retry({ name: 'again', clock, attempts: 2, backoff: () => 0 }),
      circuitBreaker({ name: 'payments', clock, failureThreshold: 2 }),
      timeout({ name: 'soon', clock, timeoutMs: 10 }),
    );
    const call = (name: string, work: () => unknown): Promise<unknown> =>
      tracer.startActiveSpan(name, (span) =>
        policy.execute(work).then(
          () => span.end(),
          () => span.end(),
        ),
      );
    const both = [call('slow', () => new Promise(() => {})), call('quick', () => 1)];
    await clock.advance(10);
    await clock.advance(10);
    await Promise.all(both);
    const [quick, slow] = spans();
    expect(quick).toMatchObject({ name: 'quick', events: [] });
    // Whose time it was says so, and the breaker whose call it ended.
    expect(slow?.events.map(([name, about]) => `${name} ${about?.['recloser.name']}`)).toEqual([
      'recloser.timed_out soon',
      'recloser.timed_out payments',
      'recloser.retry_scheduled again',
      'recloser.timed_out soon',
      'recloser.timed_out payments',
      'recloser.opened payments',
      'recloser.gave_up again',
    ]);
  });

  test('no message of an error goes into a span', async () => {
    sink = otel({ trace });
    const breaker = traced(circuitBreaker({ name: 'payments', fallback: failing }), tracer);
    await breaker.execute(failing).catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    expect(JSON.stringify(spans())).toContain('ECONNREFUSED');
    expect(JSON.stringify(spans())).not.toContain('secret words');
  });

  test('bad input gets one clear error', () => {
    expect(() => otel({ meter: {}, trace: 1 } as never)).toThrow(/meter must be a meter .*trace must be the trace API/);
    expect(() => traced({} as never, tracer)).toThrow('the policy must have execute');
    expect(() => traced(circuitBreaker(), {} as never)).toThrow('the tracer must have startActiveSpan');
  });
});
