import { channel as nodeChannel } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { serialize } from 'node:v8';
import { Counter, Registry } from 'prom-client';
import { bulkhead, CircuitOpenError, circuitBreaker, failureRate, registry, retry } from 'recloser';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sinksOfTests } from '../../../../../test/support/sinks.ts';
import { manualClock } from '../../testing/index.ts';
import { prometheus } from './index.ts';

const sink = sinksOfTests();
afterEach(() => {
  vi.restoreAllMocks();
});

const failing = (): never => {
  throw Object.assign(new Error('down'), { code: 'ECONNREFUSED' });
};
/** Whose end is seen elsewhere. */
const quiet = (calls: readonly Promise<unknown>[]): Promise<unknown> => Promise.allSettled(calls);
const lines = (text: string, start: string): string[] => text.split('\n').filter((line) => line.startsWith(start));

describe('prometheus', () => {
  test('every state of a breaker is there from its beginning', () => {
    const metrics = sink();
    circuitBreaker({ name: 'payments' });
    expect(lines(metrics.text(), 'recloser_circuit_breaker_state{')).toEqual(
      ['closed', 'open', 'half_open', 'forced_open', 'forced_closed', 'disabled', 'observe_only'].map(
        (state) => `recloser_circuit_breaker_state{name="payments",state="${state}"} ${state === 'closed' ? 1 : 0}`,
      ),
    );
  });

  test('the transitions of a breaker are there before the first one: an increase from nothing is none', async () => {
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'payments', failureThreshold: 1, sleepWindowMs: 0, successThreshold: 1 });
    const transitions = (): string[] => lines(metrics.text(), 'recloser_circuit_breaker_transitions_total');
    const of = (from: string, to: string, reason: string, count: number): string =>
      `recloser_circuit_breaker_transitions_total{name="payments",from="${from}",to="${to}",reason="${reason}"} ${count}`;
    expect(transitions()).toEqual([
      of('closed', 'open', 'consecutive', 0),
      of('open', 'half_open', 'open_elapsed', 0),
      of('half_open', 'closed', 'probes_ok', 0),
      of('half_open', 'open', 'probe_failed', 0),
    ]);
    await breaker.execute(failing).catch(() => {});
    await breaker.execute(() => 1);
    breaker.forceOpen();
    breaker.reset();
    expect(transitions()).toEqual([
      of('closed', 'open', 'consecutive', 1),
      of('open', 'half_open', 'open_elapsed', 1),
      of('half_open', 'closed', 'probes_ok', 1),
      of('half_open', 'open', 'probe_failed', 0),
      of('closed', 'forced_open', 'manual', 1),
      of('forced_open', 'closed', 'manual', 1),
    ]);
  });

  test('totals are those of metrics(): what took time by outcome, what was refused by reason', async () => {
    const clock = manualClock();
    const metrics = sink();
    const breaker = circuitBreaker({
      name: 'a',
      clock,
      timeoutMs: 20,
      trip: failureRate({ threshold: 0.9, windowCalls: 10, minimumCalls: 10 }),
    });
    const after = (ms: number) => (): Promise<void> =>
      new Promise((resolve) => {
        clock.setTimeout(resolve, ms);
      });
    const gaveUp = new AbortController();
    const calls = [
      breaker.execute(after(10)),
      breaker.execute(after(30)),
      breaker.execute(failing),
      breaker.execute(after(10), { signal: gaveUp.signal }),
      breaker.execute(() => {
        throw new CircuitOpenError('elsewhere', { breaker: 'b', reason: 'open' });
      }),
    ];
    const ended = quiet(calls);
    gaveUp.abort();
    await clock.advance(100);
    await ended;
    breaker.forceOpen();
    await quiet([breaker.execute(failing)]);
    const text = metrics.text();
    const count = (outcome: string): string =>
      `recloser_execution_duration_seconds_count{name="a",outcome="${outcome}"} 1`;
    expect(lines(text, 'recloser_execution_duration_seconds_count').sort()).toEqual(
      ['cancelled', 'failure', 'success', 'timeout'].map(count),
    );
    expect(text).toContain('recloser_execution_duration_seconds_sum{name="a",outcome="success"} 0.01');
    expect(text).toContain('recloser_execution_duration_seconds_bucket{name="a",outcome="success",le="0.005"} 0');
    expect(text).toContain('recloser_execution_duration_seconds_bucket{name="a",outcome="success",le="0.025"} 1');
    expect(text).toContain('recloser_execution_duration_seconds_bucket{name="a",outcome="success",le="+Inf"} 1');
    expect(text).toContain('recloser_errors_total{name="a",error_type="ECONNREFUSED"} 1');
    expect(text).toContain('recloser_errors_total{name="a",error_type="TimeoutError"} 1');
    expect(text).toContain('recloser_rejections_total{name="a",reason="forced_open"} 1');
    const { totalRequests, ignoredRequests, rejectedRequests } = breaker.metrics();
    // One of the ignored was refused further in: it took no time.
    expect([totalRequests, ignoredRequests, rejectedRequests]).toEqual([4 + 1 + 1, 2, 1]);
  });

  test('ratios are told once there are calls enough, next to their threshold', async () => {
    const metrics = sink();
    const breaker = circuitBreaker({
      name: 'a',
      trip: failureRate({ threshold: 0.6, windowCalls: 10, minimumCalls: 2 }),
    });
    await breaker.execute(failing).catch(() => {});
    expect(lines(metrics.text(), 'recloser_circuit_breaker_failure_')).toEqual([
      'recloser_circuit_breaker_failure_threshold_ratio{name="a"} 0.6',
    ]);
    await breaker.execute(() => 1);
    expect(lines(metrics.text(), 'recloser_circuit_breaker_failure_')).toEqual([
      'recloser_circuit_breaker_failure_ratio{name="a"} 0.5',
      'recloser_circuit_breaker_failure_threshold_ratio{name="a"} 0.6',
    ]);
    expect(lines(metrics.text(), 'recloser_circuit_breaker_window_calls')).toEqual([
      'recloser_circuit_breaker_window_calls{name="a",outcome="success"} 1',
      'recloser_circuit_breaker_window_calls{name="a",outcome="failure"} 1',
    ]);
  });

  test('S3: a scrape changes nothing, an open circuit whose sleep is over included', async () => {
    const clock = manualClock();
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'a', clock, failureThreshold: 1, sleepWindowMs: 10 });
    await breaker.execute(failing).catch(() => {});
    await clock.advance(20);
    const before = JSON.stringify(breaker.toJSON());
    expect(metrics.text()).toContain('recloser_circuit_breaker_state{name="a",state="open"} 1');
    expect(JSON.stringify(breaker.toJSON())).toBe(before);
  });

  test('the series of a name are gone with its last policy', async () => {
    const metrics = sink();
    const [first, second] = [circuitBreaker({ name: 'a' }), circuitBreaker({ name: 'a' })];
    await first.execute(failing).catch(() => {});
    expect(metrics.text()).toContain('recloser_circuit_breaker_state{name="a",state="closed"} 2');
    first.dispose();
    expect(metrics.text()).toContain('recloser_circuit_breaker_state{name="a",state="closed"} 1');
    second.dispose();
    await second.execute(failing).catch(() => {});
    expect(lines(metrics.text(), 'recloser_').filter((line) => line.includes('"a"'))).toEqual([]);
  });

  test('names beyond the limit go together, are counted, and are warned of once', async () => {
    const warn = vi.spyOn(console, 'warn').mockImplementation(() => {});
    const metrics = sink({ maxNames: 2 });
    const breakers = ['a', 'b', 'c', 'd'].map((name) => circuitBreaker({ name }));
    await quiet(breakers.map((breaker) => breaker.execute(failing)));
    const text = metrics.text();
    expect(text).toContain('recloser_circuit_breaker_state{name="_overflow",state="closed"} 2');
    expect(text).toContain('recloser_errors_total{name="_overflow",error_type="ECONNREFUSED"} 2');
    expect(text).toContain('recloser_telemetry_overflows_total 2');
    expect(text).not.toContain('"c"');
    expect(warn).toHaveBeenCalledTimes(1);
    breakers[0]?.dispose();
    circuitBreaker({ name: 'e' });
    expect(metrics.text()).toContain('recloser_circuit_breaker_state{name="e",state="closed"} 1');
  });

  test('ten types of errors keep their names', async () => {
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'a', failureThreshold: 100 });
    for (let i = 0; i < 12; i++) {
      await breaker.execute(() => Promise.reject(Object.assign(new Error(), { code: `E${i}` }))).catch(() => {});
    }
    const types = lines(metrics.text(), 'recloser_errors_total');
    expect(types).toHaveLength(11);
    expect(types.at(-1)).toBe('recloser_errors_total{name="a",error_type="_OTHER"} 2');
  });

  test('a registry is told in aggregate, whatever its keys', async () => {
    const metrics = sink();
    const hosts = registry({ name: 'hosts', defaults: { failureThreshold: 1 }, parent: { threshold: 1 } });
    await hosts.execute(failing, { key: 'a.example' }).catch(() => {});
    await hosts.execute(() => 1, { key: 'b.example' });
    const text = metrics.text();
    expect(text).toContain('recloser_circuit_breaker_state{name="hosts",state="open"} 1');
    expect(text).toContain('recloser_circuit_breaker_state{name="hosts",state="closed"} 1');
    expect(text).toContain('recloser_circuit_breaker_state{name="hosts/parent",state="closed"} 1');
    expect(text).toContain('recloser_registry_size{name="hosts"} 2');
    expect(text).toContain('recloser_errors_total{name="hosts",error_type="ECONNREFUSED"} 1');
    expect(text).not.toContain('.example');
    hosts.dispose();
    expect(metrics.text()).not.toContain('hosts');
  });

  test('retry and bulkhead', async () => {
    const clock = manualClock();
    const metrics = sink();
    const again = retry({ name: 'again', clock, attempts: 2, backoff: () => 0 });
    await again.execute(failing).catch(() => {});
    await again.execute(() => 1);
    const two = bulkhead({ name: 'two', clock, maxConcurrent: 1, maxQueue: 1 });
    const work = (): Promise<void> =>
      new Promise((resolve) => {
        clock.setTimeout(resolve, 300);
      });
    const ended = quiet([two.execute(work), two.execute(work), two.execute(work)]);
    expect(metrics.text()).toContain('recloser_bulkhead_usage{name="two"} 1');
    await clock.advance(700);
    await ended;
    const text = metrics.text();
    expect(text).toContain('recloser_retry_attempts_bucket{name="again",le="1"} 1');
    expect(text).toContain('recloser_retry_attempts_sum{name="again"} 3');
    expect(text).toContain('recloser_retry_budget_utilization_ratio{name="again"} 0.0');
    expect(text).toContain('recloser_bulkhead_limit{name="two"} 1');
    expect(text).toContain('recloser_bulkhead_queue_duration_seconds_sum{name="two"} 0.3');
    expect(text).toContain('recloser_rejections_total{name="two",reason="bulkhead_full"} 1');
    expect(text).toContain('recloser_policy_events_total{name="two",kind="bulkhead",event="queued"} 1');
  });

  test('policies that were made before are heard of as an option, or later', () => {
    const [early, late] = [circuitBreaker({ name: 'early' }), circuitBreaker({ name: 'late' })];
    const metrics = sink({ policies: [early] });
    expect(metrics.text()).toContain('name="early"');
    expect(metrics.text()).not.toContain('name="late"');
    metrics.watch(late);
    expect(metrics.text()).toContain('name="late"');
  });

  test('a breaker that nobody holds any more is gone, disposed or not', async () => {
    const metrics = sink();
    (() => void circuitBreaker({ name: 'dropped' }))();
    for (let i = 0; i < 20 && metrics.text().includes('dropped'); i++) {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc?.();
    }
    if (globalThis.gc) expect(metrics.text()).not.toContain('dropped');
  });

  test('label values are escaped', () => {
    const metrics = sink();
    circuitBreaker({ name: 'a "b"\\\n' });
    expect(metrics.text()).toContain('name="a \\"b\\"\\\\\\n"');
  });

  test('its handlers answer a scrape, and nothing else', async () => {
    const metrics = sink();
    circuitBreaker({ name: 'a' });
    const server = createServer(metrics.handler).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    try {
      const response = await fetch(`http://127.0.0.1:${port}/metrics`);
      expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4; charset=utf-8');
      expect(await response.text()).toBe(metrics.text());
      expect((await fetch(`http://127.0.0.1:${port}/metrics`, { method: 'POST' })).status).toBe(405);
      expect(await metrics.fetch(new Request('http://localhost/')).text()).toBe(metrics.text());
    } finally {
      server.close();
    }
  });

  test('bad input gets one error', () => {
    expect(() => prometheus({ maxNames: 0, registry: {}, policies: [1] } as never)).toThrowErrorMatchingInlineSnapshot(
      `[TypeError: prometheus: maxNames must be an integer from 1 to 10000, got 0; policies[0] must be a policy of recloser, got 1; registry must be a registry of prom-client with registerMetric,removeSingleMetric, got an object]`,
    );
    expect(() => sink().watch(1 as never)).toThrow(/a policy of recloser/);
  });
});

describe('with a registry of prom-client', () => {
  test('in OpenMetrics form counters have their suffix once, and are taken out again', async () => {
    const own = new Registry();
    own.setContentType(Registry.OPENMETRICS_CONTENT_TYPE as never);
    const first = sink({ registry: own });
    const breaker = circuitBreaker({ name: 'a' });
    await breaker.execute(failing).catch(() => {});
    expect(await own.metrics()).toMatch(/^recloser_errors_total\{name="a",error_type="ECONNREFUSED"\} 1$/m);
    first.close();
    sink({ registry: own });
    expect(await own.metrics()).not.toContain('ECONNREFUSED');
  });

  test('a registry that has a name of ours keeps its own, and none of ours', () => {
    const own = new Registry();
    new Counter({ name: 'recloser_errors_total', help: 'mine', registers: [own] });
    expect(() => prometheus({ registry: own })).toThrow('already been registered');
    expect(own.getMetricsAsArray()).toMatchObject([{ help: 'mine' }]);
  });

  test('a registry that will not have it gets the fault told, and nobody listens on', () => {
    const own = new Registry();
    const first = sink({ registry: own });
    expect(() => prometheus({ registry: own })).toThrow('already been registered');
    first.close();
    expect(nodeChannel('recloser:circuit-breaker:succeeded').hasSubscribers).toBe(false);
  });

  test('its samples pass to another process', async () => {
    const own = new Registry();
    sink({ registry: own });
    circuitBreaker({ name: 'a' });
    for (const metric of await own.getMetricsAsJSON()) expect(() => serialize(metric)).not.toThrow();
  });

  test('the same samples are exposed there, until it is closed', async () => {
    const own = new Registry();
    const [alone, beside] = [sink(), sink({ registry: own })];
    const breaker = circuitBreaker({ name: 'a', failureThreshold: 1 });
    await breaker.execute(failing).catch(() => {});
    // Each sink takes the time of what it hears by itself.
    const samples = (text: string): string[] =>
      text.split('\n').filter((line) => /^recloser_(?!.*timestamp)/.test(line));
    expect(samples(await own.metrics()).sort()).toEqual(samples(alone.text()).sort());
    expect(await own.metrics()).toContain('# TYPE recloser_execution_duration_seconds histogram');
    own.resetMetrics();
    beside.close();
    expect(await own.metrics()).toBe('\n');
  });
});
