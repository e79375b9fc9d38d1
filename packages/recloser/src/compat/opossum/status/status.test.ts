import { manualClock } from 'recloser/testing';
import { describe, expect, test, vi } from 'vitest';
import type { Stats } from './bucket.ts';
import { Status } from './status.ts';

describe('Status', () => {
  test('counts in the newest slice and sums the window', async () => {
    const clock = manualClock();
    const status = new Status({ rollingCountTimeout: 1_000, rollingCountBuckets: 4, clock });
    status.increment('fires');
    await clock.advance(250);
    status.increment('fires');
    status.increment('rejects');
    expect(status.window.map(({ fires }) => fires)).toEqual([1, 1, 0, 0]);
    expect(status.stats).toMatchObject({ fires: 2, rejects: 1, failures: 0 });
    await clock.advance(749);
    expect(status.sum('fires')).toBe(2);
    await clock.advance(1);
    expect(status.sum('fires')).toBe(1);
    await clock.advance(250);
    expect(status.stats.fires).toBe(0);
  });

  test('sorts latencies and takes percentiles of them: the value that so many are not above', () => {
    const status = new Status({ clock: manualClock() });
    for (const ms of [40, 30, 20]) status.increment('successes', ms);
    status.increment('failures', 50);
    status.increment('timeouts', 10);
    status.increment('timeouts'); // As a breaker does: its failure brings the latency.
    status.increment('fires');
    const { latencyTimes, latencyMean, percentiles } = status.stats;
    expect([latencyTimes, latencyMean]).toEqual([[10, 20, 30, 40, 50], 30]);
    expect(percentiles).toEqual({
      0: 10,
      0.25: 20,
      0.5: 30,
      0.75: 40,
      0.9: 50,
      0.95: 50,
      0.99: 50,
      0.995: 50,
      1: 50,
    });
  });

  test('without latencies mean and percentiles are 0', () => {
    const { latencyMean, percentiles } = new Status().stats;
    expect([latencyMean, new Set(Object.values(percentiles))]).toEqual([0, new Set([0])]);
  });

  test('what it hands out is a copy', () => {
    const status = new Status({ clock: manualClock() });
    status.window.length = 0;
    status.stats.fires = 7;
    expect([status.window.length, status.stats.fires]).toEqual([10, 0]);
  });

  test('emits a snapshot each slice while somebody listens, and owns no timer else', async () => {
    const clock = manualClock();
    const status = new Status({ rollingCountTimeout: 1_000, rollingCountBuckets: 4, clock });
    status.increment('fires');
    await clock.advance(100);
    expect(clock.pending).toBe(0);
    const seen: [number, number][] = [];
    const listener = ({ fires }: Stats): unknown => seen.push([clock.now(), fires]);
    status.on('snapshot', listener);
    await clock.advance(1_000);
    expect(seen).toEqual([
      [250, 1],
      [500, 1],
      [750, 1],
      [1_000, 0],
    ]);
    status.off('snapshot', listener);
    await clock.advance(250);
    expect([seen.length, clock.pending]).toEqual([4, 0]);
  });

  test.each(['on', 'once', 'addListener', 'prependListener', 'prependOnceListener'] as const)(
    'a listener added by `%s` gets its snapshot',
    async (add) => {
      const clock = manualClock();
      const status = new Status({ clock });
      const listener = vi.fn();
      status[add]('snapshot', listener);
      await clock.advance(1_000);
      expect(listener).toHaveBeenCalledOnce();
    },
  );

  test('the timer of snapshots lets the process end', () => {
    const unref = vi.fn();
    const clock = { ...manualClock(), setTimeout: () => ({ unref }) };
    new Status({ clock }).on('snapshot', () => {});
    expect(unref).toHaveBeenCalledOnce();
  });

  test('without snapshots, and after the shutdown, listeners cost no timer', () => {
    const clock = manualClock();
    const status = new Status({ clock });
    status.on('snapshot', () => {});
    status.shutdown();
    status.on('snapshot', () => {});
    new Status({ clock, enableSnapshots: false }).on('snapshot', () => {});
    expect(clock.pending).toBe(0);
  });
});
