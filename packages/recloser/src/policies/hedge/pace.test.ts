import { type HedgeOptions, hedge } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { rejection } from '../../../../../test/support/calls.ts';

function setUp(options: HedgeOptions = { quantile: 0.9 }) {
  const clock = manualClock();
  const policy = hedge({ clock, budget: false, ...options });
  /** A call whose attempts take so long. */
  const call = async (...afterMs: number[]): Promise<unknown> => {
    const result = policy.execute(
      ({ attempt }) =>
        new Promise((resolve) => clock.setTimeout(() => resolve(attempt), afterMs[attempt - 1] as number)),
    );
    await clock.advance(Math.max(...afterMs));
    return result;
  };
  const calls = async (count: number, afterMs: number): Promise<void> => {
    for (let i = 0; i < count; i++) await call(afterMs);
  };
  return { clock, policy, call, calls };
}

describe('a delay that is learnt', () => {
  test('is none until minimumCalls are known: nothing is hedged', async () => {
    const { clock, policy, call, calls } = setUp({ quantile: 0.9, minimumCalls: 10 });
    await calls(8, 50);
    const ninth = call(50);
    expect(clock.pending).toBe(1); // the call's own
    await ninth;
    expect(policy.metrics().delayMs).toBeUndefined();
    expect(policy.metrics().hedges).toBe(0);
    await calls(1, 50);
    expect(policy.metrics().delayMs).toBe(50);
  });

  test('or delayMs until then', async () => {
    const { policy, call, calls } = setUp({ quantile: 0.9, delayMs: 200, minimumCalls: 10 });
    expect(policy.metrics().delayMs).toBe(200);
    expect(await call(1_000, 10)).toBe(2);
    await calls(20, 50);
    expect(policy.metrics().delayMs).toBeLessThan(60);
  });

  test('is the quantile of the calls', async () => {
    const { policy, call } = setUp({ quantile: 0.9, minimumCalls: 100, delayMs: 10_000 });
    for (let i = 1; i <= 100; i++) await call(i);
    // Within the 3.1 % of a bucket, rounded up.
    expect(policy.metrics().delayMs).toBeGreaterThanOrEqual(87);
    expect(policy.metrics().delayMs).toBeLessThanOrEqual(94);
  });

  test('counts attempts that lost with the time they had taken: it does not sink because the slow ones never end', async () => {
    const { policy, call } = setUp({ quantile: 0.9, minimumCalls: 20 });
    // From 50 to 145 ms, evenly; a hedge wins whenever it is made.
    for (let i = 0; i < 1_000; i++) await call(50 + 5 * ((7 * i) % 20), 1);
    expect(policy.metrics().delayMs).toBeGreaterThan(130);
    const { hedges, totalRequests } = policy.metrics();
    expect(hedges / totalRequests).toBeLessThanOrEqual(0.15);
  });

  test('is no more than delayMs, where that is given as well, though many calls hang', async () => {
    const { policy, call } = setUp({ quantile: 0.9, delayMs: 300, minimumCalls: 20 });
    for (let i = 0; i < 300; i++) {
      const hangs = i % 4 === 3;
      await call(hangs ? 10_000 : 50, ...(hangs ? [200] : []));
    }
    expect(policy.metrics()).toMatchObject({ delayMs: 300, hedges: 75, hedgesWon: 75 });
  });

  test('learns nothing from failures and aborts', async () => {
    const { clock, policy } = setUp({ quantile: 0.9, minimumCalls: 1 });
    for (let i = 0; i < 30; i++) {
      await rejection(policy.execute(() => Promise.reject(new Error('down'))));
      const caller = new AbortController();
      const result = policy.execute(() => new Promise(() => {}), { signal: caller.signal });
      await clock.advance(1);
      caller.abort();
      await rejection(result);
    }
    expect(policy.metrics().delayMs).toBeUndefined();
  });

  test('nor from a first attempt that failed, though another one answered', async () => {
    const { clock, policy, call, calls } = setUp({ quantile: 0.5, minimumCalls: 10 });
    await call(50);
    await calls(9, 10);
    const { delayMs } = policy.metrics();
    expect(delayMs).toBeLessThanOrEqual(11);
    for (let i = 0; i < 15; i++) {
      const result = policy.execute(
        ({ attempt }) =>
          new Promise((resolve, reject) => {
            if (attempt === 1) clock.setTimeout(() => reject(new Error('down')), 15);
            else clock.setTimeout(() => resolve(attempt), 20);
          }),
      );
      await clock.advance(40);
      expect(await result).toBe(2);
    }
    await clock.advance(1_000);
    await call(10);
    expect(policy.metrics().delayMs).toBe(delayMs);
  });

  test('is worked out once a second, not with every call', async () => {
    const { policy, calls } = setUp({ quantile: 0.9, minimumCalls: 10, idempotent: () => false });
    await calls(10, 50);
    await calls(9, 100);
    expect(policy.metrics().delayMs).toBe(50);
    await calls(1, 100);
    expect(policy.metrics().delayMs).toBe(100);
  });

  test('is none where delayMs alone was given, though classify has calls timed', async () => {
    const { policy, calls } = setUp({ delayMs: 100, classify: () => undefined });
    await calls(25, 50);
    expect(policy.metrics().delayMs).toBe(100);
  });

  test('follows the dependency within two minutes', async () => {
    const { clock, policy, calls } = setUp({ quantile: 0.9, minimumCalls: 10 });
    await calls(20, 500);
    await clock.advance(120_000);
    await calls(20, 5);
    expect(policy.metrics().delayMs).toBeLessThanOrEqual(6);
  });

  test('is never below a millisecond', async () => {
    const { policy, calls } = setUp({ quantile: 0.9, minimumCalls: 10 });
    await calls(20, 0);
    expect(policy.metrics().delayMs).toBe(1);
  });
});
