import fc from 'fast-check';
import { circuitBreaker, failureRate, type TripRule } from 'recloser';
import { describe, expect, test } from 'vitest';
import { fail, setUp, succeed } from '../support/calls.ts';
import { jumpingClock } from '../support/clocks.ts';
import { holds } from '../support/properties.ts';

/** Settles calls on a breaker that never opens, and reads its window. */
function measuring(trip: TripRule, clock = jumpingClock()) {
  const breaker = circuitBreaker({ clock, trip });
  return {
    clock,
    breaker,
    add(failed: boolean) {
      const permit = breaker.acquire();
      if (failed) permit?.failure('x');
      else permit?.success();
    },
    read: () => {
      const { calls, failures } = breaker.metrics().window;
      return { calls, failures };
    },
  };
}

const never = { threshold: 1, minimumCalls: 2 ** 31 - 1 };
/** Its minimum is brought down to windowCalls, so it needs a call that did not fail. */
const byCalls = (windowCalls: number) => failureRate({ ...never, windowCalls });
const byTime = (windowMs: number, buckets = 10) => failureRate({ ...never, windowMs, buckets });

describe('count windows', () => {
  test.each([1, 2, 3, 10, 100])('S15: the last N calls, N = %i, against a list', (size) => {
    holds(
      fc.property(fc.array(fc.boolean(), { maxLength: 3 * size + 5 }), (calls) => {
        const { breaker, add, read } = measuring(byCalls(size));
        breaker.forceClosed();
        const list: boolean[] = [];
        for (const failed of calls) {
          add(failed);
          list.push(failed);
          const last = list.slice(-size);
          expect(read()).toEqual({ calls: last.length, failures: last.filter(Boolean).length });
        }
      }),
      50,
    );
  });

  test('S15: a window of one call decides on that call', async () => {
    const { breaker } = setUp({ trip: failureRate({ threshold: 1, windowCalls: 1 }) });
    await succeed(breaker);
    expect(breaker.state).toBe('closed');
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S15: a window of two calls decides on the last two', async () => {
    const { breaker } = setUp({ trip: failureRate({ threshold: 1, windowCalls: 2 }) });
    for (const call of [succeed, fail, succeed, fail]) await call(breaker);
    expect(breaker.state).toBe('closed');
    await fail(breaker);
    expect(breaker.state).toBe('open');
  });

  test('S15: it is unmoved by time', async () => {
    const { add, read, clock } = measuring(byCalls(10));
    add(true);
    await clock.advance(1e9);
    expect(read()).toEqual({ calls: 1, failures: 1 });
  });
});

describe('time windows', () => {
  const scene = fc.array(
    fc.oneof(
      fc.boolean(),
      fc.integer({ min: 0, max: 30 }).map((ms) => ({ ms })),
      fc.integer({ min: 0, max: 5_000 }).map((ms) => ({ ms })),
    ),
    { maxLength: 80 },
  );

  test.each([
    [1, 1],
    [2, 1],
    [2, 2],
    [100, 1],
    [100, 2],
    [100, 10],
    [1_000, 10],
    [1_000, 7],
  ])('S15: the last %i ms in %i buckets, against a list', (windowMs, buckets) => {
    const bucketMs = windowMs / buckets;
    holds(
      fc.property(scene, (steps) => {
        const { add, read, clock } = measuring(byTime(windowMs, buckets));
        const list: { bucket: number; failed: boolean }[] = [];
        for (const step of steps) {
          if (typeof step === 'object') clock.jump(step.ms);
          else {
            add(step);
            list.push({ bucket: Math.floor(clock.now() / bucketMs), failed: step });
          }
          const newest = Math.floor(clock.now() / bucketMs);
          const last = list.filter(({ bucket }) => bucket > newest - buckets);
          expect(read()).toEqual({ calls: last.length, failures: last.filter(({ failed }) => failed).length });
        }
      }),
      100,
    );
  });

  test('S15: totals always equal the sum of the buckets', () => {
    holds(
      fc.property(scene, fc.integer({ min: 1, max: 20 }), (steps, buckets) => {
        const { add, read, clock, breaker } = measuring(byTime(500, buckets));
        for (const step of steps) {
          if (typeof step === 'object') clock.jump(step.ms);
          else add(step);
          const { counter } = breaker.toJSON().trip as { counter: { buckets: [number, number][] } };
          expect(counter.buckets).toHaveLength(buckets);
          const sum = (at: 0 | 1) => counter.buckets.reduce((total, bucket) => total + bucket[at], 0);
          expect(read()).toEqual({ calls: sum(0), failures: sum(1) });
          expect(Math.min(...counter.buckets.flat())).toBeGreaterThanOrEqual(0);
        }
      }),
    );
  });

  test.each([1_000, 1_999, 3_600_000, 1e12])(
    'S15: after a silence of %i ms the stale part is gone, all at once',
    (ms) => {
      const { add, read, clock } = measuring(byTime(1_000));
      for (let i = 0; i < 10; i++) {
        add(true);
        clock.jump(100);
      }
      clock.jump(ms);
      expect(read()).toEqual({ calls: 0, failures: 0 });
      add(false);
      expect(read()).toEqual({ calls: 1, failures: 0 });
    },
  );

  test('S15: it moves on bucket by bucket', () => {
    const { add, read, clock } = measuring(byTime(1_000));
    const seen: unknown[] = [];
    for (let i = 0; i < 10; i++) {
      add(true);
      clock.jump(100);
    }
    for (let i = 0; i < 10; i++) {
      seen.push(read().calls);
      clock.jump(100);
    }
    expect(seen).toEqual([9, 8, 7, 6, 5, 4, 3, 2, 1, 0]);
  });

  test('S15: buckets are those of time, not one a call', () => {
    const { add, read } = measuring(byTime(1_000));
    for (let i = 0; i < 1_000; i++) add(true);
    expect(read()).toEqual({ calls: 1_000, failures: 1_000 });
  });

  test('S15: a step of the clock backwards loses nothing and evicts nothing', () => {
    holds(
      fc.property(fc.array(fc.integer({ min: 0, max: 100_000 }), { maxLength: 20 }), (backs) => {
        const { add, read, clock } = measuring(byTime(1_000));
        for (const [i, back] of backs.entries()) {
          clock.jump(-back);
          add(i % 2 === 0);
          expect(read()).toEqual({ calls: i + 1, failures: Math.ceil((i + 1) / 2) });
        }
      }),
      50,
    );
  });

  test('S15: whatever the clock does, the figures stay counts', () => {
    holds(
      fc.property(
        fc.array(fc.oneof(fc.boolean(), fc.integer({ min: -5_000, max: 5_000 })), { maxLength: 60 }),
        (steps) => {
          const { add, read, clock } = measuring(byTime(1_000));
          let made = 0;
          for (const step of steps) {
            if (typeof step === 'number') clock.jump(step);
            else {
              made++;
              add(step);
            }
            const { calls, failures = 0 } = read();
            expect(calls).toBeGreaterThanOrEqual(failures);
            expect(failures).toBeGreaterThanOrEqual(0);
            expect(calls).toBeLessThanOrEqual(made);
          }
        },
      ),
    );
  });

  test('S15: no timer rotates it', async () => {
    const { breaker, clock } = setUp({ trip: byTime(1_000) });
    await succeed(breaker);
    expect(clock.pending).toBe(0);
  });

  test('S15: an old outage is forgotten: one failure an hour later does not open', async () => {
    const { breaker, clock } = setUp({
      trip: failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 10 }),
    });
    for (let i = 0; i < 9; i++) await fail(breaker);
    await clock.advance(3_600_000);
    await fail(breaker);
    expect(breaker.state).toBe('closed');
  });
});

describe('memory and time per call', () => {
  test('S15: a window of a million calls costs what one of ten does', () => {
    const time = (size: number) => {
      const { add } = measuring(byCalls(size));
      for (let i = 0; i < 20_000; i++) add(i % 3 === 0);
      const before = process.cpuUsage();
      for (let i = 0; i < 50_000; i++) add(i % 3 === 0);
      const { user, system } = process.cpuUsage(before);
      return (user + system) / 1_000;
    };
    // Were it looked through, it would be 100,000 times.
    expect(Math.min(time(1_000_000), time(1_000_000))).toBeLessThan(100 * Math.max(1, time(10)));
  });

  test('S15: the JSON of a time window is as long as its buckets are many, whatever the traffic', () => {
    const { add, breaker, clock } = measuring(byTime(1_000, 10));
    for (let i = 0; i < 10_000; i++) {
      add(i % 2 === 0);
      clock.jump(1);
    }
    expect(JSON.stringify(breaker.toJSON().trip).length).toBeLessThan(300);
  });
});
