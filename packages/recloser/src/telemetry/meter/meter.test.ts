import {
  bulkhead,
  CircuitOpenError,
  circuitBreaker,
  pipeline,
  registry,
  retry,
  type TripRule,
  timeout,
} from 'recloser';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sinksOfTests } from '../../../../../test/support/sinks.ts';
import { manualClock } from '../../testing/index.ts';
import type { PrometheusSink } from '../prometheus/index.ts';

const sink = sinksOfTests();
afterEach(() => {
  vi.restoreAllMocks();
});

const failing = (): never => {
  throw new Error('down');
};
const openElsewhere = (): never => {
  throw new CircuitOpenError('elsewhere', { breaker: 'b', reason: 'open' });
};
/** The value of one series; 0 where it is not there. */
function figure(metrics: PrometheusSink, series: string): number {
  const line = metrics
    .text()
    .split('\n')
    .find((each) => each.startsWith(`recloser_${series} `));
  return Number(line?.split(' ').at(-1) ?? 0);
}

describe('what is there before anything happens, as an increase from nothing is none', () => {
  const lines = (metrics: PrometheusSink, pattern: RegExp): string[] =>
    metrics
      .text()
      .split('\n')
      .filter((line) => pattern.test(line));
  const counters = /^recloser_(rejections_total|circuit_breaker_transitions_total|execution_duration_seconds_count)/;

  test('of a breaker what its options make possible', () => {
    const metrics = sink();
    const [one, other] = [
      circuitBreaker({ name: 'one' }),
      circuitBreaker({ name: 'other', timeoutMs: 5, maxConcurrent: 2 }),
    ];
    expect(one.name + other.name).toBe('oneother');
    const of = (name: string) =>
      lines(metrics, /^recloser_(rejections|execution\S+_count)/).filter((line) => line.includes(`"${name}"`));
    expect(of('one')).toHaveLength(4);
    expect(of('other')).toEqual(
      expect.arrayContaining([
        'recloser_rejections_total{name="other",reason="bulkhead_full"} 0',
        'recloser_execution_duration_seconds_count{name="other",outcome="timeout"} 0',
      ]),
    );
  });

  test('of a registry all but the rules of its keys, and of its parent', () => {
    const metrics = sink();
    const hosts = registry({ name: 'hosts', parent: { threshold: 0.5 } });
    expect(hosts.size).toBe(0);
    const told = lines(metrics, counters);
    expect(told.every((line) => line.endsWith(' 0'))).toBe(true);
    expect(told).toEqual(
      expect.arrayContaining([
        'recloser_execution_duration_seconds_count{name="hosts",outcome="failure"} 0',
        'recloser_rejections_total{name="hosts",reason="circuit_open"} 0',
        'recloser_rejections_total{name="hosts/parent",reason="circuit_open"} 0',
        'recloser_circuit_breaker_transitions_total{name="hosts",from="half_open",to="open",reason="probe_failed"} 0',
      ]),
    );
    expect(told.join()).not.toContain('consecutive');
  });

  test('of the keys of a registry their rules, from the first call on', async () => {
    const metrics = sink();
    const hosts = registry({ name: 'hosts', defaults: { failureThreshold: 2 } });
    await hosts.execute(() => 1, { key: 'a' });
    const opened = 'circuit_breaker_transitions_total{name="hosts",from="closed",to="open",reason="consecutive"}';
    expect(metrics.text()).toContain(`recloser_${opened} 0`);
    for (let i = 0; i < 2; i++) await hosts.execute(failing, { key: 'a' }).catch(() => {});
    expect(figure(metrics, opened)).toBe(1);
  });
});

describe('whose figures they are', () => {
  test('the places of a breaker with a limit are told as those of a bulkhead are, work that outlives its call included', async () => {
    const clock = manualClock();
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'a', clock, maxConcurrent: 2, timeoutMs: 10, abandonAfterMs: 1_000 });
    const told = () => [figure(metrics, 'bulkhead_usage{name="a"}'), figure(metrics, 'bulkhead_limit{name="a"}')];
    expect(told()).toEqual([0, 2]);
    const call = breaker.execute(() => new Promise(() => {})).catch(() => {});
    await clock.advance(10);
    await call;
    expect(breaker.metrics().inFlight).toBe(0);
    expect(told()).toEqual([1, 2]);
    breaker.update({ maxConcurrent: 3 });
    await clock.advance(1_000);
    expect(told()).toEqual([0, 3]);
    circuitBreaker({ name: 'without' });
    expect(metrics.text()).not.toContain('bulkhead_limit{name="without"}');
  });

  test('a key that is called as its registry is counted once', () => {
    const metrics = sink();
    const hosts = registry({ name: 'hosts' });
    hosts.get('hosts').forceOpen();
    expect(figure(metrics, 'circuit_breaker_state{name="hosts",state="forced_open"}')).toBe(1);
    hosts.delete('hosts');
    expect(figure(metrics, 'circuit_breaker_state{name="hosts",state="forced_open"}')).toBe(0);
  });

  test('a breaker of a registry that ends takes nothing of the others with it', async () => {
    const hosts = registry({ name: 'hosts' });
    const metrics = sink();
    await hosts.execute(() => 1, { key: 'a' });
    await hosts.execute(() => 1, { key: 'b' });
    hosts.get('a').dispose();
    await hosts.execute(() => 1, { key: 'b' });
    expect(figure(metrics, 'execution_duration_seconds_count{name="hosts",outcome="success"}')).toBe(3);
  });

  test('with a registry go the series of its parent', async () => {
    const metrics = sink();
    const hosts = registry({ name: 'hosts', parent: { threshold: 0.5, minimumOpen: 1 } });
    hosts.parent?.forceOpen();
    await hosts.execute(() => 1, { key: 'a' }).catch(() => {});
    expect(metrics.text()).toContain('hosts/parent');
    hosts.dispose();
    expect(metrics.text()).not.toContain('hosts');
  });

  test('names beyond the limit are counted, not policies', () => {
    vi.spyOn(console, 'warn').mockImplementation(() => {});
    const metrics = sink({ maxNames: 1 });
    circuitBreaker({ name: 'a' });
    for (let i = 0; i < 5; i++) circuitBreaker({ name: 'b' });
    expect(figure(metrics, 'telemetry_overflows_total')).toBe(1);
  });

  test('ten thousand of one name end in no time that grows with their number', () => {
    const metrics = sink();
    const many = Array.from({ length: 10_000 }, () => circuitBreaker({ name: 'a' }));
    const [half, all] = [many.slice(0, 5_000), many.slice(5_000)];
    const time = (breakers: typeof many): number => {
      const before = performance.now();
      for (const breaker of breakers) breaker.dispose();
      return performance.now() - before;
    };
    const [first, second] = [time(half), time(all)];
    expect(metrics.text()).not.toContain('"a"');
    // It took seconds, the first half thrice as long as the second.
    expect(first).toBeLessThan(1_000 + 10 * second);
  });
});

describe('what is counted', () => {
  test('nothing that happens under observe-only is a transition; what it would have refused is counted apart', async () => {
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'a', failureThreshold: 1 });
    breaker.observeOnly();
    await breaker.execute(failing).catch(() => {});
    await breaker.execute(() => 1);
    expect(
      figure(metrics, 'circuit_breaker_transitions_total{name="a",from="closed",to="open",reason="consecutive"}'),
    ).toBe(0);
    expect(figure(metrics, 'circuit_breaker_shadow_rejections_total{name="a"}')).toBe(1);
    expect(metrics.text()).not.toContain('opened_timestamp');
  });

  test('a reset of an open circuit that was forced is one transition', async () => {
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'a', failureThreshold: 1 });
    await breaker.execute(failing).catch(() => {});
    breaker.forceOpen();
    breaker.reset();
    const transitions = metrics
      .text()
      .split('\n')
      .filter((line) => /transitions_total.* [1-9]/.test(line));
    expect(transitions.map((line) => /from="(\w+)",to="(\w+)"/.exec(line)?.slice(1).join('>'))).toEqual([
      'closed>open',
      'open>forced_open',
      'forced_open>closed',
    ]);
  });

  test('when it opened stays the same through probes that fail', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    try {
      const clock = manualClock();
      const metrics = sink();
      const breaker = circuitBreaker({ name: 'a', clock, failureThreshold: 1, sleepWindowMs: 10, successThreshold: 1 });
      await breaker.execute(failing).catch(() => {});
      await clock.advance(10);
      vi.setSystemTime(2_000_000);
      await breaker.execute(failing).catch(() => {});
      expect(figure(metrics, 'circuit_breaker_opened_timestamp_seconds{name="a"}')).toBe(1_000);
      expect(figure(metrics, 'circuit_breaker_last_transition_timestamp_seconds{name="a"}')).toBe(2_000);
      await clock.advance(10);
      await breaker.execute(() => 1);
      expect(metrics.text()).not.toContain('opened_timestamp');
    } finally {
      vi.useRealTimers();
    }
  });

  test('when it opened is told of what is not closed, whatever was set over it meanwhile', async () => {
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'a', failureThreshold: 1, sleepWindowMs: 0, successThreshold: 1 });
    await breaker.execute(failing).catch(() => {});
    breaker.observeOnly();
    await breaker.execute(() => 1);
    breaker.release();
    expect(breaker.state).toBe('closed');
    expect(metrics.text()).not.toContain('opened_timestamp');
    breaker.observeOnly();
    await breaker.execute(failing).catch(() => {});
    expect(metrics.text()).not.toContain('opened_timestamp');
    breaker.release();
    expect(breaker.state).toBe('open');
    expect(metrics.text()).toContain('recloser_circuit_breaker_opened_timestamp_seconds{name="a"}');
  });

  test('of several of one name it is told since when the first is open, though another has closed', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    try {
      const metrics = sink();
      const [first, second] = [1, 2].map(() => circuitBreaker({ name: 'a', failureThreshold: 1 }));
      await first?.execute(failing).catch(() => {});
      vi.setSystemTime(2_000_000);
      await second?.execute(failing).catch(() => {});
      expect(figure(metrics, 'circuit_breaker_opened_timestamp_seconds{name="a"}')).toBe(1_000);
      second?.reset();
      expect(figure(metrics, 'circuit_breaker_opened_timestamp_seconds{name="a"}')).toBe(1_000);
    } finally {
      vi.useRealTimers();
    }
  });

  test('a caller who had given up before is cancelled; what a classifier makes of a refusal further in takes no time', async () => {
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'a', classify: ({ ok }) => (ok ? 'success' : 'failure') });
    await breaker.execute(() => 1, { signal: AbortSignal.abort() }).catch(() => {});
    await breaker.execute(openElsewhere).catch(() => {});
    expect(figure(metrics, 'execution_duration_seconds_count{name="a",outcome="cancelled"}')).toBe(1);
    expect(figure(metrics, 'execution_duration_seconds_count{name="a",outcome="failure"}')).toBe(0);
    expect(figure(metrics, 'errors_total{name="a",error_type="ERR_CIRCUIT_OPEN"}')).toBe(1);
  });

  test('a timeout is one whoever’s time was up', async () => {
    const clock = manualClock();
    const metrics = sink();
    const policy = pipeline(
      circuitBreaker({ name: 'a', clock }),
      retry({ clock, attempts: 1 }),
      timeout({ clock, timeoutMs: 10 }),
    );
    const call = policy.execute(() => new Promise(() => {})).catch(() => {});
    await clock.advance(10);
    await call;
    expect(figure(metrics, 'execution_duration_seconds_count{name="a",outcome="timeout"}')).toBe(1);
  });

  test('what a rule of the user’s says does not multiply series, and is no NaN', async () => {
    const metrics = sink();
    let turn = 0;
    const moody: TripRule = {
      name: 'moody',
      start: () => ({
        record: (failed) => failed,
        measure: () => ({ rule: `mood ${turn}`, value: 1, threshold: 1 }) as never,
        clear: () => {},
        toJSON: () => null,
      }),
    };
    const breaker = circuitBreaker({ name: 'a', trip: moody });
    for (; turn < 50; turn++) {
      await breaker.execute(failing).catch(() => {});
      breaker.reset();
    }
    const reasons = metrics
      .text()
      .split('\n')
      .filter((line) => line.includes('transitions_total{'));
    expect(reasons.length).toBeLessThan(30);
    expect(metrics.text()).toContain('reason="_OTHER"');
    expect(metrics.text()).not.toContain('NaN');
  });
});

test('the places of a bulkhead go by its name, queue and all', async () => {
  const metrics = sink();
  const one = bulkhead({ name: 'one', maxConcurrent: 1, maxQueue: 1 });
  await Promise.all([one.execute(() => 1), one.execute(() => 2)]);
  expect(figure(metrics, 'bulkhead_queue_duration_seconds_count{name="one"}')).toBe(1);
});
