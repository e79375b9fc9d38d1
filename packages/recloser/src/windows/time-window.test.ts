import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { TimeWindow } from './time-window.ts';

const seeded = { seed: Number(process.env.RECLOSER_SEED ?? Math.floor(Math.random() * 2 ** 31)), numRuns: 300 };
console.log(`seed ${seeded.seed}`);

interface Saved {
  readonly bucketMs: number;
  readonly ageMs: number;
  readonly buckets: [calls: number, hits: number][];
}
const saved = (window: TimeWindow, now: number): Saved => JSON.parse(JSON.stringify(window.toJSON(now))) as Saved;

const traffic = fc.array(
  fc.record({
    waitMs: fc.oneof(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 3_000 })),
    hit: fc.boolean(),
  }),
  { maxLength: 60 },
);
const shape = fc.record({ bucketMs: fc.integer({ min: 1, max: 50 }), buckets: fc.integer({ min: 1, max: 12 }) });

describe('the last T milliseconds', () => {
  test('S15: against a list, at each call and after any silence', () => {
    fc.assert(
      fc.property(shape, traffic, fc.nat(3_000), ({ bucketMs, buckets }, calls, silenceMs) => {
        const start = 1_000 * bucketMs;
        const window = new TimeWindow(bucketMs * buckets, buckets, start);
        const list: { bucket: number; hit: boolean }[] = [];
        const check = (at: number): void => {
          const newest = Math.floor(at / bucketMs);
          const last = list.filter(({ bucket }) => bucket > newest - buckets);
          expect(window.count(at)).toEqual({ calls: last.length, hits: last.filter(({ hit }) => hit).length });
        };
        let now = start;
        for (const { waitMs, hit } of calls) {
          now += waitMs;
          window.add(hit, now);
          list.push({ bucket: Math.floor(now / bucketMs), hit });
          check(now);
          expect([window.calls, window.hits]).toEqual(Object.values(window.count(now)));
        }
        check(now + silenceMs);
        check(now);
      }),
      seeded,
    );
  });

  test('S3: counting and writing move nothing', () => {
    const window = new TimeWindow(100, 10, 0);
    window.add(true, 0);
    window.count(1e9);
    window.toJSON(1e9);
    expect(window.count(50)).toEqual({ calls: 1, hits: 1 });
    window.add(true, 50);
    expect(window.count(50)).toEqual({ calls: 2, hits: 2 });
  });

  test('a call at the very edge of a bucket belongs to the next', () => {
    const window = new TimeWindow(100, 10, 0);
    window.add(true, 9.999);
    window.add(true, 10);
    expect(saved(window, 10).buckets.slice(0, 2)).toEqual([
      [1, 1],
      [1, 1],
    ]);
  });

  test('S1: written after a silence, the newest buckets are empty and the age is that of the last of them', () => {
    const window = new TimeWindow(50, 5, 1_000);
    window.add(true, 1_000);
    window.add(false, 1_013);
    const at = (now: number) => saved(window, now);
    expect(at(1_018)).toEqual({
      bucketMs: 10,
      ageMs: 8,
      buckets: [
        [1, 0],
        [1, 1],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    });
    expect(at(1_034)).toEqual({
      bucketMs: 10,
      ageMs: 4,
      buckets: [
        [0, 0],
        [0, 0],
        [1, 0],
        [1, 1],
        [0, 0],
      ],
    });
    expect(at(1_057)).toEqual({
      bucketMs: 10,
      ageMs: 7,
      buckets: [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
        [1, 0],
      ],
    });
    expect(at(9_999)).toEqual({
      bucketMs: 10,
      ageMs: 9,
      buckets: [
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
        [0, 0],
      ],
    });
  });

  test('clear begins anew at that time', () => {
    const window = new TimeWindow(100, 10, 0);
    window.add(true, 5);
    window.add(true, 95);
    window.clear(97);
    expect(window.count(97)).toEqual({ calls: 0, hits: 0 });
    expect(saved(window, 97)).toEqual({ bucketMs: 10, ageMs: 0, buckets: new Array(10).fill([0, 0]) });
    window.add(false, 106);
    expect(saved(window, 106)).toMatchObject({ ageMs: 9, buckets: [[1, 0], ...new Array(9).fill([0, 0])] });
  });

  test('S15: a step back counts into the newest bucket', () => {
    const window = new TimeWindow(100, 10, 1_000);
    window.add(true, 1_050);
    window.add(false, 5);
    expect(window.count(5)).toEqual({ calls: 2, hits: 1 });
    expect(saved(window, 5)).toMatchObject({ ageMs: 0, buckets: [[2, 1], ...new Array(9).fill([0, 0])] });
    expect(window.count(1_050)).toEqual({ calls: 2, hits: 1 });
  });
});

describe('restoring', () => {
  test('S1: what was written goes on as before, on a clock whose zero is elsewhere', () => {
    fc.assert(
      fc.property(shape, traffic, traffic, ({ bucketMs, buckets }, before, after) => {
        const windowMs = bucketMs * buckets;
        const window = new TimeWindow(windowMs, buckets, 0);
        let now = 0;
        for (const { waitMs, hit } of before) {
          now += waitMs;
          window.add(hit, now);
        }
        const elsewhere = 7_000_000;
        const restored = TimeWindow.restore(windowMs, buckets, now + elsewhere, saved(window, now));
        expect(saved(restored, now + elsewhere)).toEqual(saved(window, now));
        for (const { waitMs, hit } of after) {
          now += waitMs;
          window.add(hit, now);
          restored.add(hit, now + elsewhere);
          expect(restored.count(now + elsewhere)).toEqual(window.count(now));
        }
      }),
      seeded,
    );
  });

  test('S1: rounding at the edge of a bucket never makes a window that can’t be read', () => {
    const window = new TimeWindow(153, 26, 8_711_939.664902087);
    window.add(true, 8_712_022.049517471);
    const written = saved(window, 8_712_169.164902087);
    expect(written.ageMs).toBeLessThanOrEqual(written.bucketMs);
    expect(() => TimeWindow.restore(153, 26, 5, written)).not.toThrow();
  });

  test('of another shape it begins anew', () => {
    const window = new TimeWindow(100, 10, 0);
    window.add(true, 0);
    const written = saved(window, 0);
    expect(TimeWindow.restore(200, 10, 0, written).count(0)).toEqual({ calls: 0, hits: 0 });
    expect(TimeWindow.restore(100, 5, 0, written).count(0)).toEqual({ calls: 0, hits: 0 });
    expect(TimeWindow.restore(50, 5, 0, written).count(0)).toEqual({ calls: 0, hits: 0 });
  });

  const good: Saved = { bucketMs: 10, ageMs: 3, buckets: [[2, 1]] };
  test.each([
    ['nothing', undefined],
    ['null', null],
    ['a list', [good]],
    ['no buckets', { ...good, buckets: undefined }],
    ['buckets that are no list', { ...good, buckets: {} }],
    ['a bucket that is no pair', { ...good, buckets: [5] }],
    ['more hits than calls', { ...good, buckets: [[1, 2]] }],
    ['a negative count', { ...good, buckets: [[-1, -2]] }],
    ['a broken count', { ...good, buckets: [[1.5, 1]] }],
    ['a broken count of hits', { ...good, buckets: [[2, 0.5]] }],
    ['a count that is none', { ...good, buckets: [['1', 0]] }],
    ['an age beyond the bucket', { ...good, ageMs: 10.5 }],
    ['a negative age', { ...good, ageMs: -1 }],
    ['no age', { ...good, ageMs: null }],
    ['an age that is no value', { ...good, ageMs: { toString: '' } }],
    ['buckets of no time', { ...good, bucketMs: 0 }],
    ['buckets of NaN', { ...good, bucketMs: Number.NaN }],
  ])('%s was written by no window', (_what, given) => {
    expect(TimeWindow.restore(10, 1, 0, good).count(0)).toEqual({ calls: 2, hits: 1 });
    expect(() => TimeWindow.restore(10, 1, 0, given)).toThrow(/^a time window: /);
  });
});
