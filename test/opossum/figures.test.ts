// What is counted, over what window, and what a breaker begins with.
import { EventEmitter } from 'node:events';
import CircuitBreaker from 'recloser/opossum';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection } from '../support/calls.ts';
import { hold, setUp, type TestBreaker } from './breakers.ts';

const act = async (): Promise<string> => 'ok';

describe('figures', () => {
  test('rollingPercentilesEnabled: false keeps no latencies', async () => {
    const { breaker } = setUp({ rollingPercentilesEnabled: false });
    await breaker.fire('ok');
    const { percentiles, latencyMean, latencyTimes } = breaker.stats;
    expect([latencyMean, latencyTimes, new Set(Object.values(percentiles))]).toEqual([-1, [], new Set([-1])]);
    expect(breaker.status.window[0]?.latencyTimes).toEqual([]);
  });

  test('rotateBucketController: its event turns the window, the clock does not', async () => {
    const controller = new EventEmitter();
    const clock = manualClock();
    const breaker = new CircuitBreaker(act, { rotateBucketController: controller, rollingCountBuckets: 2, clock });
    await breaker.fire();
    await clock.advance(60_000);
    expect(breaker.status.window.map(({ fires }) => fires)).toEqual([1, 0]);
    controller.emit('rotate');
    expect(breaker.status.window.map(({ fires }) => fires)).toEqual([0, 1]);
    controller.emit('rotate');
    expect(breaker.stats.fires).toBe(0);
  });

  test('rotateBucketController: disabling and shutting down take the listener off, each its own', () => {
    const controller = new EventEmitter();
    const listeners = (): number => controller.listenerCount('rotate');
    const [a, b] = [0, 1].map(() => new CircuitBreaker(act, { rotateBucketController: controller }));
    const seen = [listeners()];
    for (const step of [a?.disable, a?.enable, a?.enable, a?.shutdown]) {
      step?.call(a as CircuitBreaker<[], string>);
      seen.push(listeners());
    }
    b?.shutdown();
    expect([...seen, listeners()]).toEqual([2, 1, 2, 2, 1, 0]);
  });

  test('status: figures to begin with count for opening', async () => {
    const status = CircuitBreaker.newStatus({ stats: { fires: 2, successes: 0, failures: 2 } });
    const breaker = new CircuitBreaker(async () => Promise.reject(new Error('failed')), {
      status,
      volumeThreshold: 3,
    });
    expect(breaker.status).toBe(status);
    await rejection(breaker.fire());
    expect(breaker.opened).toBe(true);
  });

  test('status: what its figures say was fired and has not failed counts against opening', async () => {
    for (const [failures, opened] of [
      [4, false],
      [6, true],
    ] as const) {
      const { breaker } = setUp({ errorThresholdPercentage: 50, status: { fires: 10, failures } });
      await rejection(breaker.fire('fail'));
      expect(breaker.opened).toBe(opened);
    }
  });

  test('status: breakers that share one share the calls at work', async () => {
    const status = CircuitBreaker.newStatus();
    const [busy, failing] = [0, 1].map(() => setUp({ errorThresholdPercentage: 50, status }).breaker) as [
      TestBreaker,
      TestBreaker,
    ];
    hold(busy);
    await rejection(failing.fire('fail'));
    expect(failing.closed).toBe(true);
  });

  test('status: of an instance of opossum’s own, or of another copy, the figures are taken', () => {
    class Foreign extends EventEmitter {
      get stats() {
        return { fires: 7 };
      }
    }
    const breaker = new CircuitBreaker(act, { status: new Foreign() as unknown as { fires: number } });
    expect(breaker.stats.fires).toBe(7);
  });
});
