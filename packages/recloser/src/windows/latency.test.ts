import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LatencyHistogram, type LatencySummary } from './latency.ts';

const seeded = { seed: Number(process.env.RECLOSER_SEED ?? Math.floor(Math.random() * 2 ** 31)), numRuns: 200 };
console.log(`seed ${seeded.seed}`);

function summaryOf(values: readonly number[]): LatencySummary | undefined {
  const histogram = new LatencyHistogram(0);
  for (const ms of values) histogram.record(ms, 0);
  return histogram.summary(0);
}

/** The value at a share of the list: the smallest that so many are not above. */
const exact = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.ceil(values.length * share) - 1] as number;

describe('percentiles', () => {
  const latency = fc.oneof(
    fc.double({ min: 0.001, max: 10, noNaN: true }),
    fc.double({ min: 1, max: 10_000, noNaN: true }),
    fc.double({ min: 1, max: 2 ** 31 - 1, noNaN: true }),
    fc.integer({ min: 1, max: 100 }),
    fc.integer({ min: 0, max: 1 }),
  );

  test('S14: each is within 5 % of the exact value', () => {
    fc.assert(
      fc.property(fc.array(latency, { minLength: 1, maxLength: 200 }), (values) => {
        const summary = summaryOf(values) as LatencySummary;
        for (const [name, share] of [
          ['p50', 0.5],
          ['p95', 0.95],
          ['p99', 0.99],
        ] as const) {
          const wanted = exact(values, share);
          expect(Math.abs(summary[name] - wanted)).toBeLessThanOrEqual(0.05 * wanted);
          expect(summary[name]).toBeLessThanOrEqual(summary.max);
        }
        expect(summary.max).toBe(Math.max(...values));
        expect(summary.count).toBe(values.length);
      }),
      seeded,
    );
  });

  test('are in order', () => {
    const values = Array.from({ length: 1_000 }, (_, i) => i + 1);
    const { p50, p95, p99, max } = summaryOf(values) as LatencySummary;
    expect(p50).toBeGreaterThan(475);
    expect(p50).toBeLessThan(525);
    expect(p95).toBeGreaterThan(p50);
    expect(p99).toBeGreaterThan(p95);
    expect(max).toBe(1_000);
  });

  test('every value a breaker can measure has a bucket: 0, fractions, the longest', () => {
    for (const ms of [0, 1e-9, 0.001, 0.5, 1, 2 ** 31 - 1, 1e12]) {
      expect(summaryOf([ms])).toMatchObject({ count: 1, max: ms });
      expect((summaryOf([ms]) as LatencySummary).p50).toBeLessThanOrEqual(ms);
    }
  });

  test('of nothing are nothing', () => {
    expect(summaryOf([])).toBeUndefined();
  });

  test('a single value is met as closely as the maximum allows', () => {
    for (const ms of [1, 3, 17, 100, 999]) {
      const { p50, p99 } = summaryOf([ms]) as LatencySummary;
      expect(Math.abs(p50 - ms) / ms).toBeLessThanOrEqual(0.05);
      expect(p99).toBe(p50);
    }
  });
});

describe('forgetting', () => {
  const minute = 60_000;

  test('S14: the last one to two minutes are covered', () => {
    const histogram = new LatencyHistogram(0);
    histogram.record(10, 0);
    histogram.record(20, minute - 1);
    expect(histogram.summary(minute - 1)).toMatchObject({ count: 2, max: 20 });
    expect(histogram.summary(2 * minute - 1)).toMatchObject({ count: 2, max: 20 });
    expect(histogram.summary(2 * minute)).toBeUndefined();
  });

  test('the minute before is still there, the one before that is not', () => {
    const histogram = new LatencyHistogram(0);
    histogram.record(300, 0);
    histogram.record(200, minute);
    expect(histogram.summary(minute)).toMatchObject({ count: 2, max: 300 });
    histogram.record(100, 2 * minute);
    expect(histogram.summary(2 * minute)).toMatchObject({ count: 2, max: 200 });
    histogram.record(50, 3 * minute);
    expect(histogram.summary(3 * minute)).toMatchObject({ count: 2, max: 100 });
    expect(histogram.summary(4 * minute)).toMatchObject({ count: 1, max: 50 });
  });

  test('after a silence nothing old is left', () => {
    const histogram = new LatencyHistogram(0);
    histogram.record(300, 0);
    histogram.record(1, 2 * minute);
    expect(histogram.summary(2 * minute)).toMatchObject({ count: 1, max: 1 });
    histogram.record(2, 100 * minute + 5);
    expect(histogram.summary(100 * minute + 5)).toMatchObject({ count: 1, max: 2 });
  });

  test('S3: reading forgets nothing', () => {
    const histogram = new LatencyHistogram(0);
    histogram.record(300, 0);
    expect(histogram.summary(10 * minute)).toBeUndefined();
    expect(histogram.summary(0)).toMatchObject({ count: 1 });
  });

  test('a step of the clock back loses nothing', () => {
    const histogram = new LatencyHistogram(1_000_000);
    histogram.record(300, 1_000_000);
    histogram.record(200, 0);
    expect(histogram.summary(0)).toMatchObject({ count: 2 });
  });
});
