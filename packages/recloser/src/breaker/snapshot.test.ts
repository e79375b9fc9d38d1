import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { manualClock } from '../testing/index.ts';
import { type CircuitBreakerOptions, circuitBreaker, type TripRule } from './index.ts';
import { type Snapshot, writeSnapshot } from './snapshot.ts';
import { allOf, anyOf } from './trip-rules/combined.ts';
import { consecutiveFailures } from './trip-rules/consecutive-failures.ts';
import { failureCount, failureRate, slowCallRate } from './trip-rules/windowed.ts';

const seeded = { seed: Number(process.env.RECLOSER_SEED ?? Math.floor(Math.random() * 2 ** 31)), numRuns: 2_000 };
console.log(`seed ${seeded.seed}`);

const through = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T;

const trips = {
  consecutive: consecutiveFailures(2),
  calls: failureRate({ threshold: 0.5, windowCalls: 5, minimumCalls: 2 }),
  time: failureRate({ threshold: 0.5, windowMs: 1_000, buckets: 4, minimumCalls: 2 }),
  count: failureCount({ threshold: 2, windowMs: 500, buckets: 1 }),
  slow: slowCallRate({ threshold: 0.5, slowCallMs: 5, windowMs: 1_000, minimumCalls: 2 }),
  any: anyOf(consecutiveFailures(3), failureRate({ threshold: 0.7, windowCalls: 4, minimumCalls: 2 })),
  all: allOf(consecutiveFailures(1), failureCount({ threshold: 2, windowCalls: 9 })),
};

/** A breaker after some life, in whatever state that led to. */
async function lived(options: CircuitBreakerOptions, life: readonly (string | number)[]) {
  const clock = manualClock(1_000);
  const breaker = circuitBreaker({ clock, sleepWindowMs: 100, successThreshold: 2, ...options });
  for (const step of life) {
    if (typeof step === 'number') await clock.advance(step);
    else if (step === 'success') breaker.acquire()?.success();
    else if (step === 'failure') breaker.acquire()?.failure(Object.assign(new Error('x'), { code: 'E' }));
    else if (step === 'leave') breaker.acquire();
    else if (step === 'force') breaker.forceOpen({ by: 'a', reason: 'b', expiresInMs: 300 });
    else if (step === 'disable') breaker.disable();
    else if (step === 'release') breaker.release();
    else breaker.reset();
  }
  return { breaker, clock };
}

const life = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.constantFrom('success', 'failure', 'failure', 'leave') },
    { weight: 1, arbitrary: fc.constantFrom('force', 'disable', 'release', 'reset') },
    { weight: 2, arbitrary: fc.oneof(fc.nat(30), fc.nat(150), fc.double({ min: 0, max: 100, noNaN: true })) },
  ),
  { maxLength: 25 },
);

describe('the round trip', () => {
  test('S1: after any life, with any rule, a breaker is restored to what it was', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(trips)),
        fc.option(fc.constant(200), { nil: undefined }),
        life,
        async (trip, rampMs, steps) => {
          const options = { trip, ...(rampMs === undefined ? {} : { recovery: { rampMs } }) };
          const { breaker } = await lived(options, steps);
          const written = through(breaker.toJSON());
          // The same moment on the same clock, so that no rounding comes between.
          const clock = manualClock(1_000);
          const restored = circuitBreaker({ ...options, clock, restore: written });
          expect(restored.state).toBe(breaker.state);
          expect(restored.metrics().generation).toBe(breaker.metrics().generation);
          expect(restored.metrics().computedState).toBe(breaker.metrics().computedState);
          const again = through(restored.toJSON());
          const close = (value: unknown): unknown =>
            JSON.parse(JSON.stringify(value), (_key, member) =>
              typeof member === 'number' ? Math.round(member * 1e6) / 1e6 : member,
            );
          expect(close({ ...again, name: '' })).toEqual(close({ ...written, name: '' }));
        },
      ),
      { ...seeded, numRuns: 500 },
    );
  });

  test('S1: writing changes nothing and reading keeps nothing of what it read', async () => {
    const { breaker } = await lived({ trip: trips.time }, ['failure', 'failure', 5]);
    const written = through(breaker.toJSON());
    const before = JSON.stringify(written);
    const restored = circuitBreaker({ trip: trips.time, restore: written });
    restored.reset();
    restored.acquire()?.failure('x');
    expect(JSON.stringify(written)).toBe(before);
  });
});

describe('what was written by another hand', () => {
  const read = (given: unknown): 'restored' | 'TypeError' => {
    try {
      circuitBreaker({ restore: given as Snapshot, trip: trips.time });
      return 'restored';
    } catch (error) {
      if (error instanceof TypeError) return 'TypeError';
      throw error;
    }
  };

  test('S1: any JSON is either restored or a TypeError, never anything else', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        read(value);
      }),
      seeded,
    );
  });

  test('S1: any JSON in place of any field of a good snapshot is, too, and what is restored works', async () => {
    const goods = await Promise.all(
      [
        ['failure'],
        ['failure', 'failure', 3],
        ['failure', 'failure', 100, 'success', 7],
        ['failure', 'force'],
        ['failure', 'failure', 100, 'success', 'success'],
      ].map(async (steps) =>
        through((await lived({ trip: trips.time, recovery: { rampMs: 1_000 } }, steps)).breaker.toJSON()),
      ),
    );
    expect(goods.map(({ state }) => state)).toEqual(['closed', 'open', 'half-open', 'closed', 'closed']);
    const pathsOf = (value: unknown, path: readonly string[] = []): (readonly string[])[] =>
      typeof value === 'object' && value !== null
        ? [path, ...Object.entries(value).flatMap(([key, member]) => pathsOf(member, [...path, key]))]
        : [path];
    const replaced = (value: unknown, [key, ...rest]: readonly string[], by: unknown): unknown => {
      if (key === undefined) return by;
      const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string, unknown>;
      copy[key] = replaced(copy[key], rest, by);
      return copy;
    };
    const odd = fc.oneof(
      fc.jsonValue({ maxDepth: 1 }),
      fc.constantFrom<unknown>(-1, 0.5, 1e308, -1e308, 2 ** 53, 'open', '', '__proto__', [], {}, null, [[1, 2]]),
      // What can't be made a text.
      fc.constant({ toString: 0, valueOf: 0 }),
    );
    const scene = fc
      .constantFrom(...goods)
      .chain((good) => fc.tuple(fc.constant(good), fc.constantFrom(...pathsOf(good)), odd));
    fc.assert(
      fc.property(scene, ([good, path, by]) => {
        const clock = manualClock();
        const given = through(replaced(good, path, by)) as Snapshot;
        try {
          const breaker = circuitBreaker({ clock, trip: trips.time, restore: given });
          expect(['closed', 'open', 'half-open', 'forced-open']).toContain(breaker.metrics().computedState);
          expect(typeof breaker.explain()).toBe('string');
          expect(JSON.stringify(breaker.metrics()).length).toBeLessThan(20_000);
          breaker.acquire()?.failure('x');
          breaker.release();
          breaker.acquire()?.success();
        } catch (error) {
          if (!(error instanceof TypeError)) throw error;
          expect(error.message).toMatch(/^(circuitBreaker: restore|a time window|a count window|consecutiveFailures)/);
        }
      }),
      seeded,
    );
  });

  test('S1: all faults are told together', () => {
    const bad = { version: 3, state: 'open', generation: -1, trip: 5, forced: { state: 'x' } };
    expect(() => circuitBreaker({ restore: bad as never })).toThrow(
      /version.*generation.*trip.*attempt.*sleepMs.*forced\.state/,
    );
  });

  test('S24: texts are cut and only figures are taken over: nothing of a stranger’s reaches people', async () => {
    const { breaker } = await lived({ failureThreshold: 1 }, ['failure']);
    const written = through(breaker.toJSON()) as unknown as { evidence: Record<string, unknown>; forced?: unknown };
    written.evidence = {
      ...written.evidence,
      rule: 'r'.repeat(5_000),
      script: '<script>',
      topErrors: Array.from({ length: 50 }, () => ({ name: 'n'.repeat(5_000), count: 1, extra: 1 })),
      lastError: { name: 'n', message: 'm'.repeat(5_000), stack: 'secret' },
    };
    const text = JSON.stringify(circuitBreaker({ failureThreshold: 1, restore: written as never }).toJSON());
    expect(text).not.toMatch(/script|secret|extra/);
    expect(text.length).toBeLessThan(2_500);
  });
});

describe('the trip rule’s part', () => {
  test('S1: another rule’s figures mean nothing to this one: it begins anew', () => {
    const now = 0;
    const machine = { state: 'closed', generation: 3 } as const;
    const counter = consecutiveFailures(5).start(now, 4);
    const written = writeSnapshot('b', consecutiveFailures(5), { machine, counter, override: undefined }, now);
    expect(written.trip).toEqual({ rule: 'consecutiveFailures', counter: 4 });
    const restored = (trip: TripRule) => circuitBreaker({ trip, restore: written }).metrics().window;
    expect(restored(consecutiveFailures(9))).toMatchObject({ value: 4, threshold: 9 });
    expect(restored(trips.calls)).toMatchObject({ calls: 0 });
  });

  test('S1: the same rule over another kind or size of window begins anew, or with what fits', () => {
    const byCalls = (windowCalls: number) => failureRate({ threshold: 1, windowCalls });
    const byTime = failureRate({ threshold: 1, windowMs: 1_000 });
    const full = byCalls(4).start(0);
    for (const failed of [true, true, false, false]) full.record(failed, 0, 0);
    expect(byCalls(2).start(0, full.toJSON(0)).measure(0)).toMatchObject({ calls: 2, failures: 0 });
    expect(byCalls(9).start(0, full.toJSON(0)).measure(0)).toMatchObject({ calls: 4, failures: 2 });
    expect(byTime.start(0, full.toJSON(0)).measure(0)).toMatchObject({ calls: 0 });
    expect(byCalls(4).start(0, byTime.start(0).toJSON(0)).measure(0)).toMatchObject({ calls: 0 });
  });

  test('S1: parts of combined rules carry their names: those that are others by now begin anew', () => {
    const before = anyOf(consecutiveFailures(9), failureCount({ threshold: 5, windowCalls: 9 })).start(0);
    for (let i = 0; i < 3; i++) before.record(true, 0, 0);
    const written = through(before.toJSON(0));
    const swapped = anyOf(
      failureCount({ threshold: 5, windowCalls: 9 }),
      failureCount({ threshold: 5, windowCalls: 9 }),
    );
    expect(swapped.start(0, written).measure(0).parts).toMatchObject([{ failures: 0 }, { failures: 3 }]);
    const longer = allOf(consecutiveFailures(9), consecutiveFailures(2), consecutiveFailures(3));
    expect(longer.start(0, written).measure(0).parts).toMatchObject([{ value: 3 }, { value: 0 }, { value: 0 }]);
    expect(() => swapped.start(0, { no: 'list' })).toThrow(TypeError);
    expect(() => swapped.start(0, 5)).toThrow(TypeError);
  });

  test.each([-1, 1.5, '3', null, {}, 2 ** 60])('S1: %o is no row of failures', (saved) => {
    expect(() => consecutiveFailures(5).start(0, saved)).toThrow(TypeError);
  });
});
