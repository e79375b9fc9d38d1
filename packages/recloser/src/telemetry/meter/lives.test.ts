import { allOf, anyOf, circuitBreaker, consecutiveFailures, failureRate, registry } from 'recloser';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { sinksOfTests } from '../../../../../test/support/sinks.ts';
import { manualClock } from '../../testing/index.ts';
import type { PrometheusSink } from '../prometheus/index.ts';

const sink = sinksOfTests();
afterEach(() => {
  vi.restoreAllMocks();
  vi.useRealTimers();
});

const failing = (): never => {
  throw new Error('down');
};
/** The series that say this, without their prefix. */
const lines = (metrics: PrometheusSink, pattern: RegExp): string[] =>
  metrics
    .text()
    .split('\n')
    .filter((line) => line.startsWith('recloser_') && pattern.test(line))
    .map((line) => line.replace(/^recloser_(circuit_breaker_)?/, ''));
const opened = 'opened_timestamp_seconds';

describe('what was made before the sink', () => {
  test('a registry that nobody named is told as a whole once one of its breakers is heard of, and goes with its end', async () => {
    const hosts = registry({ name: 'hosts', defaults: { failureThreshold: 1 }, parent: { minimumOpen: 5 } });
    expect(hosts.get('a').state).toBe('closed');
    const metrics = sink();
    await hosts.execute(failing, { key: 'a' }).catch(() => {});
    expect(lines(metrics, /"hosts",state="open"|registry_size|hosts\/parent",state="closed"/)).toEqual([
      'state{name="hosts",state="open"} 1',
      'state{name="hosts/parent",state="closed"} 1',
      'registry_size{name="hosts"} 1',
    ]);
    hosts.dispose();
    expect(lines(metrics, /hosts/)).toEqual([]);
  });

  test('so is one whose parent alone is heard of', () => {
    const hosts = registry({ name: 'hosts', parent: {} });
    const metrics = sink();
    hosts.parent?.forceOpen();
    expect(lines(metrics, /registry_size|state="forced_open"/)).toEqual([
      'state{name="hosts/parent",state="forced_open"} 1',
      'state{name="hosts",state="forced_open"} 0',
      'registry_size{name="hosts"} 0',
    ]);
  });

  test('what is disposed is told nothing of, whatever is still asked of it', async () => {
    const hosts = registry({ name: 'hosts', defaults: { failureThreshold: 1 } });
    const left = hosts.get('a');
    hosts.delete('a');
    const breaker = circuitBreaker({ name: 'gone' });
    for (const each of [breaker, hosts]) each.dispose();
    const metrics = sink({ policies: [breaker, hosts] });
    await breaker.execute(() => 1).catch(() => {});
    await left.execute(failing).catch(() => {});
    expect(lines(metrics, /gone|hosts/)).toEqual([]);
  });

  test('when it opened is known by how long it has been open, and stays the same', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
    const clock = manualClock();
    const settings = { name: 'a', clock, failureThreshold: 1 };
    const before = circuitBreaker(settings);
    await before.execute(failing).catch(() => {});
    await clock.advance(5_000);
    const metrics = sink({ policies: [before] });
    expect(lines(metrics, /opened_t/)).toEqual([`${opened}{name="a"} 995`]);
    vi.setSystemTime(2_000_000);
    expect(lines(metrics, /opened_t/)).toEqual([`${opened}{name="a"} 995`]);
    const restored = circuitBreaker({ ...settings, name: 'b', restore: before.toJSON() });
    expect(restored.state).toBe('open');
    expect(lines(metrics, /opened_t.*"b"/)).toEqual([`${opened}{name="b"} 1995`]);
  });
});

test('of a registry it is told since when the first of its open keys is open', async () => {
  vi.useFakeTimers({ toFake: ['Date'], now: 1_000_000 });
  const metrics = sink();
  const hosts = registry({ name: 'hosts', defaults: { failureThreshold: 1 } });
  await hosts.execute(failing, { key: 'a' }).catch(() => {});
  vi.setSystemTime(2_000_000);
  await hosts.execute(failing, { key: 'b' }).catch(() => {});
  expect(lines(metrics, /opened_t/)).toEqual([`${opened}{name="hosts"} 1000`]);
  hosts.get('a').reset();
  expect(lines(metrics, /opened_t/)).toEqual([`${opened}{name="hosts"} 2000`]);
  hosts.get('b').reset();
  expect(lines(metrics, /opened_t/)).toEqual([]);
});

test('a count that was read does not fall when one of several of a name is disposed, and what grew last is in it', async () => {
  const metrics = sink();
  const [first, second] = [1, 2].map(() => circuitBreaker({ name: 'a', failureThreshold: 1, start: 'observe-only' }));
  const told = () => lines(metrics, /shadow/);
  expect(told()).toEqual(['shadow_rejections_total{name="a"} 0']);
  for (const breaker of [first, second]) {
    await breaker?.execute(failing).catch(() => {});
    await breaker?.execute(() => 1);
  }
  expect(told()).toEqual(['shadow_rejections_total{name="a"} 2']);
  await first?.execute(() => 1);
  first?.dispose();
  expect(told()).toEqual(['shadow_rejections_total{name="a"} 3']);
  await second?.execute(() => 1);
  expect(told()).toEqual(['shadow_rejections_total{name="a"} 4']);
});

test('a parent beyond the limit of names goes with the others, its state too', () => {
  vi.spyOn(console, 'warn').mockImplementation(() => {});
  const metrics = sink({ maxNames: 1 });
  const hosts = registry({ name: 'hosts', parent: {} });
  expect(hosts.size).toBe(0);
  expect(lines(metrics, /parent/)).toEqual([]);
  expect(lines(metrics, /_overflow",state="closed"/)).toEqual(['state{name="_overflow",state="closed"} 1']);
});

describe('what begins at 0', () => {
  const trip = failureRate({ threshold: 0.5, windowCalls: 4, minimumCalls: 2 });
  const openings = (metrics: PrometheusSink) =>
    lines(metrics, /transitions_total.*from="closed"/).map((line) => line.replace(/.*reason="(.*)"}/, '$1'));

  test('of combined rules the openings of each and of all', async () => {
    const metrics = sink();
    const [all, any] = [
      circuitBreaker({ name: 'all', trip: allOf(consecutiveFailures(2), trip) }),
      circuitBreaker({ name: 'any', trip: anyOf(anyOf(consecutiveFailures(2), allOf(trip)), trip) }),
    ];
    expect(openings(metrics)).toEqual([
      'all_of 0',
      'consecutive 0',
      'failure_ratio 0',
      'consecutive 0',
      'all_of 0',
      'failure_ratio 0',
    ]);
    for (const each of [all, all, any, any]) await each.execute(failing).catch(() => {});
    expect(openings(metrics).filter((line) => !line.endsWith(' 0'))).toEqual(['all_of 1', 'consecutive 1']);
  });

  test('of an update what it makes possible', () => {
    const metrics = sink();
    const breaker = circuitBreaker({ name: 'a' });
    breaker.update({ trip, timeoutMs: 10, maxConcurrent: 2 });
    expect(openings(metrics)).toEqual(['consecutive 0', 'failure_ratio 0']);
    expect(lines(metrics, /count.*"timeout"|bulkhead_full/)).toEqual([
      'execution_duration_seconds_count{name="a",outcome="timeout"} 0',
      'rejections_total{name="a",reason="bulkhead_full"} 0',
    ]);
  });
});
