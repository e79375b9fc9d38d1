import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holds } from '../../../../../test/support/properties.ts';
import { type Meter, SlidingWindow, TokenBucket } from './meter.ts';

interface Step {
  readonly pauseMs: number;
  readonly cost: number;
}

const steps = (costs: fc.Arbitrary<number>, longestPauseMs: number) =>
  fc.array(fc.record({ pauseMs: fc.integer({ min: 0, max: longestPauseMs }), cost: costs }), { maxLength: 80 });

const waitOf = (meter: Meter, cost: number, now: number): number =>
  Math.max(0, Math.ceil(meter.dueAt(cost, now) - now - 1e-6));

/** Takes what is there, and answers what was taken when. */
function drive(meter: Meter, calls: readonly Step[]): { at: number; cost: number }[] {
  const taken: { at: number; cost: number }[] = [];
  let now = 0;
  for (const { pauseMs, cost } of calls) {
    now += pauseMs;
    if (waitOf(meter, cost, now) > 0) continue;
    meter.take(cost, now);
    taken.push({ at: now, cost });
  }
  return taken;
}

const total = (list: readonly { readonly cost: number }[]): number => list.reduce((sum, { cost }) => sum + cost, 0);

const shape = fc.record({ permits: fc.integer({ min: 1, max: 20 }), windowMs: fc.integer({ min: 1, max: 500 }) });
const cost = fc.oneof(fc.constant(1), fc.integer({ min: 0, max: 3 }));

describe('the token bucket', () => {
  test('never more than the burst and what the time brought, in any stretch of time', () => {
    holds(
      fc.property(shape, fc.integer({ min: 3, max: 40 }), steps(cost, 300), ({ permits, windowMs }, burst, calls) => {
        const taken = drive(new TokenBucket(permits, windowMs, burst, 0), calls);
        for (let from = 0; from < taken.length; from++) {
          for (let to = from; to < taken.length; to++) {
            const stretch = (taken[to] as Step & { at: number }).at - (taken[from] as Step & { at: number }).at;
            expect(total(taken.slice(from, to + 1)) * windowMs).toBeLessThanOrEqual(
              burst * windowMs + stretch * permits,
            );
          }
        }
      }),
    );
  });

  test('refuses nothing that a bucket filled in whole units would give', () => {
    holds(
      fc.property(shape, fc.integer({ min: 3, max: 40 }), steps(cost, 300), ({ permits, windowMs }, burst, calls) => {
        const meter = new TokenBucket(permits, windowMs, burst, 0);
        const full = BigInt(burst * windowMs);
        let units = full;
        let now = 0;
        for (const { pauseMs, cost } of calls) {
          now += pauseMs;
          units += BigInt(pauseMs * permits);
          if (units > full) units = full;
          const price = BigInt(cost * windowMs);
          expect(meter.left(now) * windowMs).toBeCloseTo(Number(units), 6);
          const lacks = price - units;
          const waitMs = lacks > 0n ? (lacks + BigInt(permits) - 1n) / BigInt(permits) : 0n;
          expect(waitOf(meter, cost, now)).toBe(Number(waitMs));
          if (units < price) continue;
          units -= price;
          meter.take(cost, now);
        }
      }),
    );
  });

  test('a clock that counts in fractions makes it neither lose nor give a permit', () => {
    const meter = new TokenBucket(3, 1_000, 3, 0.1);
    let now = 0.1;
    for (let i = 0; i < 3; i++) meter.take(1, now);
    for (let i = 0; i < 3_000; i++) {
      now += 1_000 / 3;
      expect(waitOf(meter, 1, now)).toBe(0);
      meter.take(1, now);
      expect(waitOf(meter, 1, now)).toBe(334);
    }
  });
});

describe('the sliding window', () => {
  const fits = { permits: fc.integer({ min: 3, max: 20 }), windowMs: fc.integer({ min: 1, max: 500 }) };

  test('no window, wherever it begins, sees more than its permits; and what fits is never refused', () => {
    holds(
      fc.property(fc.record(fits), steps(cost, 300), ({ permits, windowMs }, calls) => {
        const meter = new SlidingWindow(permits, windowMs);
        const taken: { at: number; cost: number }[] = [];
        let now = 0;
        for (const { pauseMs, cost } of calls) {
          now += pauseMs;
          const usedAt = (time: number): number => total(taken.filter(({ at }) => at > time - windowMs));
          expect(meter.left(now)).toBe(permits - usedAt(now));
          let waitMs = 0;
          while (usedAt(now + waitMs) + cost > permits) waitMs++;
          expect(waitOf(meter, cost, now)).toBe(waitMs);
          if (waitMs > 0) continue;
          meter.take(cost, now);
          taken.push({ at: now, cost });
        }
      }),
    );
  });

  test('with more permits than it keeps entries the bound holds, and at most a hundredth of the window is lost', () => {
    const fast = fc.array(
      fc.record({ pauseMs: fc.constantFrom(0, 0.0625, 0.25, 1), cost: fc.constantFrom(1, 1, 1, 2.5) }),
      { minLength: 20, maxLength: 80 },
    );
    holds(
      fc.property(fast, (calls) => {
        const [permits, windowMs] = [400, 100];
        const many = Array.from({ length: 1_000 }, () => calls)
          .flat()
          .slice(0, 2_000);
        const taken = drive(new SlidingWindow(permits, windowMs), many);
        for (const { at } of taken) {
          expect(total(taken.filter((other) => other.at > at - windowMs && other.at <= at))).toBeLessThanOrEqual(
            permits,
          );
        }
        const exact = drive(new SlidingWindow(permits, windowMs * 1.01), many);
        expect(total(taken)).toBeGreaterThanOrEqual(total(exact) - 10);
      }),
      60,
    );
  });

  test('the first hundred calls are forgotten each in its time, those that share an entry with the last of them', () => {
    const meter = new SlidingWindow(1_000, 100);
    for (let i = 0; i < 150; i++) meter.take(1, i / 8);
    // The hundredth call came at 12.375, and those until 13.25 share its entry.
    const used = (now: number): number => 1_000 - meter.left(now);
    expect([used(100), used(112.25), used(112.375), used(113.25), used(113.375)]).toEqual([149, 51, 51, 43, 43]);
    expect([used(114.25), used(114.375)]).toEqual([35, 35]);
    expect(used(200)).toBe(0);
  });

  test('those that are forgotten make room for others to be forgotten each in its time', () => {
    const meter = new SlidingWindow(1_000, 100);
    for (let i = 0; i < 80; i++) meter.take(1, i / 8);
    for (const at of [103.75, 104.25]) meter.take(1, at);
    expect([1_000 - meter.left(203.5), 1_000 - meter.left(203.75), 1_000 - meter.left(204.25)]).toEqual([2, 1, 0]);
  });

  test('costs in fractions leave nothing behind', () => {
    const meter = new SlidingWindow(1, 100);
    for (let i = 0; i < 3; i++) meter.take(0.1, i);
    expect(meter.left(50)).toBeCloseTo(0.7);
    expect(meter.left(102)).toBe(1);
  });
});
