import { describe, expect, test } from 'vitest';
import { Normal } from './normal.ts';

const hour = 3_600_000;
const learnt = (...groups: readonly (readonly [calls: number, ms: number])[]): Normal => {
  const normal = new Normal(0);
  for (const [calls, ms] of groups) for (let i = 0; i < calls; i++) normal.learn(ms, 1);
  return normal;
};

describe('what is normal', () => {
  test('calls that take no time are no failures', () => {
    expect(learnt([100, 0], [3, -1]).toJSON(0)).toMatchObject({ calls: 103, failures: 3, bands: [100] });
  });

  test('a latency is slow from twenty good calls on', () => {
    expect(learnt([19, 100], [50, -1]).judge(0).slowMs).toBe(Infinity);
    expect(learnt([20, 100]).judge(0).slowMs).toBeLessThan(1_000);
  });

  test('the median is the fastest band that half of the calls are within', () => {
    // Half of them at 1 ms: ten bands above that, not above the 2 ms of the others.
    expect(learnt([10, 1], [10, 2]).judge(0).slowMs).toBeCloseTo(2 ** (10 / 4), 6);
    expect(learnt([9, 1], [11, 2]).judge(0).slowMs).toBeCloseTo(2 ** (14 / 4), 6);
  });

  test('calls that take a quarter of an hour are never slow', () => {
    expect(learnt([20, 2 ** (78 / 4) + 1]).judge(0).slowMs).toBe(Infinity);
    expect(learnt([20, 2 ** (77 / 4) + 1]).judge(0).slowMs).toBeLessThan(Infinity);
    expect(learnt([20, 2 ** 30]).judge(0).slowMs).toBe(Infinity);
  });

  test('half of it is forgotten after six hours and a thousand calls, both', () => {
    const normal = learnt([2_000, 100], [100, -1]);
    normal.judge(6 * hour);
    expect(normal.toJSON(6 * hour)).toMatchObject({ forMs: 6 * hour, calls: 2_100 });
    normal.judge(6 * hour + 2);
    const { forMs, calls, failures, bands } = normal.toJSON(6 * hour + 2);
    expect([forMs, calls, failures]).toEqual([3 * hour + 1, 1_050, 50]);
    expect(bands.reduce((sum, weight) => sum + weight, 0)).toBe(1_000);
    const few = learnt([1_000, 100]);
    few.judge(20 * hour);
    expect(few.toJSON(20 * hour).calls).toBe(1_000);
  });

  test('a slow call that was learnt is a bad one', () => {
    const share = (slow: number): number => learnt([1_000, 10], [slow, 5_000]).judge(0).share;
    expect(share(20)).toBeGreaterThan(2 * share(0));
  });
});
