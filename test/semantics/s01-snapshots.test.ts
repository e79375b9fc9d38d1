import {
  allOf,
  anyOf,
  type CircuitBreakerOptions,
  circuitBreaker,
  consecutiveFailures,
  failureRate,
  type Snapshot,
  type TripRule,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { fail, hold, rejection, setUp, stampede, succeed } from '../support/calls.ts';

const through = (value: unknown): Snapshot => JSON.parse(JSON.stringify(value)) as Snapshot;

/** The same breaker in another process: another clock, whose zero is elsewhere. */
function revive(snapshot: unknown, options: CircuitBreakerOptions = {}, startMs = 5_000_000) {
  const clock = manualClock(startMs);
  const breaker = circuitBreaker({
    clock,
    failureThreshold: 1,
    successThreshold: 2,
    sleepWindowMs: 1_000,
    ...options,
    restore: through(snapshot),
  });
  return { breaker, clock };
}

describe('snapshots', () => {
  test('S1: a closed breaker goes on in another process with the failures it had', async () => {
    const { breaker } = setUp({ failureThreshold: 3 });
    await fail(breaker);
    await fail(breaker);
    const { breaker: next } = revive(breaker, { failureThreshold: 3 });
    expect(next.state).toBe('closed');
    await fail(next);
    expect(next.state).toBe('open');
  });

  test('S1: an open breaker goes on sleeping for what was left', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(400);
    const { breaker: next, clock: later } = revive(breaker);
    expect(next.state).toBe('open');
    await later.advance(599);
    expect(next.available).toBe(false);
    await later.advance(1);
    expect(next.available).toBe(true);
  });

  test('S1: time between writing and restoring does not count', async () => {
    const { breaker, clock } = setUp();
    await fail(breaker);
    await clock.advance(400);
    const snapshot = through(breaker);
    await clock.advance(1_000_000);
    const later = manualClock(clock.now());
    const next = circuitBreaker({ clock: later, failureThreshold: 1, restore: snapshot });
    expect(next.available).toBe(false);
    expect((await rejection(succeed(next))) as object).toMatchObject({ retryAfterMs: 600 });
  });

  test('S1: a half-open breaker goes on with the successes it had, and its probes come back free', async () => {
    const { breaker, clock } = setUp({ successThreshold: 2 });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    hold(breaker);
    expect(breaker.available).toBe(false);
    const { breaker: next } = revive(breaker);
    expect(next.state).toBe('half-open');
    expect(next.available).toBe(true);
    await succeed(next);
    expect(next.state).toBe('closed');
  });

  test('S1: a recovering breaker goes on where its ramp was', async () => {
    const recovery = { rampMs: 1_000, initialShare: 0.5 };
    const { breaker, clock } = setUp({ recovery });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    await clock.advance(500);
    const { breaker: next, clock: later } = revive(breaker, { recovery });
    const admitted = stampede(next, 100);
    expect(Math.abs(admitted - 75)).toBeLessThanOrEqual(1);
    await later.advance(500);
    expect(stampede(next, 50)).toBe(50);
  });

  test('S1: a time window goes on with ages, not with instants', async () => {
    const trip = () => failureRate({ threshold: 0.5, windowMs: 1_000, buckets: 10, minimumCalls: 2 });
    const { breaker, clock } = setUp({ trip: trip() });
    await fail(breaker);
    await clock.advance(550);
    const at = (startMs: number) => {
      const later = manualClock(startMs);
      return { later, next: circuitBreaker({ clock: later, trip: trip(), restore: through(breaker) }) };
    };
    const soon = at(9_000_000);
    await soon.later.advance(400);
    expect(soon.next.metrics().window).toMatchObject({ calls: 1, failures: 1 });
    await fail(soon.next);
    expect(soon.next.state).toBe('open');
    const stale = at(9_000_000);
    await stale.later.advance(500);
    expect(stale.next.metrics().window.calls).toBe(0);
  });

  test('S1: the JSON holds durations, never instants: two clocks apart write the same', async () => {
    const write = async (startMs: number): Promise<unknown[]> => {
      const clock = manualClock(startMs);
      const breaker = circuitBreaker({ clock, failureThreshold: 1, successThreshold: 2, sleepWindowMs: 1_000 });
      const written = [through(breaker)];
      await fail(breaker);
      await clock.advance(250);
      written.push(through(breaker));
      await clock.advance(750);
      await succeed(breaker);
      written.push(through(breaker));
      breaker.forceOpen({ expiresInMs: 5_000 });
      await clock.advance(10);
      written.push(through(breaker));
      return written;
    };
    expect(await write(0)).toEqual(await write(7_000_000_000));
  });

  test('S1: set states are written and restored with who, why and how long', async () => {
    const { breaker, clock } = setUp();
    breaker.forceOpen({ by: 'ada', reason: 'migration', expiresInMs: 1_000 });
    await clock.advance(300);
    expect(through(breaker).forced).toEqual({
      state: 'forced-open',
      by: 'ada',
      reason: 'migration',
      expiresInMs: 700,
    });
    const { breaker: next, clock: later } = revive(breaker);
    expect(next.state).toBe('forced-open');
    await later.advance(700);
    expect(next.state).toBe('closed');
  });

  test.each(['forceOpen', 'forceClosed', 'disable', 'observeOnly'] as const)(
    'S1: %s without an end is restored without an end',
    async (action) => {
      const { breaker } = setUp();
      breaker[action]();
      const { breaker: next, clock } = revive(breaker);
      await clock.advance(10_000_000);
      expect(next.state).toBe(breaker.state);
      expect(through(next)).toEqual(through(breaker));
    },
  );

  test('S1: a snapshot of each state, restored and written at once, is the same', async () => {
    const { breaker, clock } = setUp({ successThreshold: 2 });
    const same = () => expect(through(revive(breaker).breaker)).toEqual(through(breaker));
    same();
    await fail(breaker, Object.assign(new Error('no route '.repeat(50)), { code: 'EHOSTUNREACH'.repeat(10) }));
    same();
    await clock.advance(1_000);
    await succeed(breaker);
    same();
    await succeed(breaker);
    same();
  });

  test('S1: a field stands only in the state where it means something', async () => {
    const { breaker, clock } = setUp({ successThreshold: 2 });
    const fields = () => Object.keys(through(breaker));
    const ofOpen = ['openForMs'];
    const ofHalfOpen = ['halfOpenForMs', 'successes', 'failures'];
    const ofBoth = ['attempt', 'downForMs', 'evidence'];
    const has = (present: readonly string[], absent: readonly string[]) => {
      expect(fields()).toEqual(expect.arrayContaining([...present]));
      expect(fields().filter((field) => absent.includes(field))).toEqual([]);
    };
    has([], [...ofOpen, ...ofHalfOpen, ...ofBoth, 'ramp', 'forced']);
    await fail(breaker);
    has([...ofOpen, ...ofBoth], [...ofHalfOpen, 'ramp', 'forced']);
    await clock.advance(1_000);
    await succeed(breaker);
    has([...ofHalfOpen, ...ofBoth], [...ofOpen, 'ramp', 'forced']);
    await succeed(breaker);
    has([], [...ofOpen, ...ofHalfOpen, ...ofBoth, 'ramp', 'forced']);
    breaker.forceOpen();
    has(['forced'], [...ofOpen, ...ofHalfOpen, ...ofBoth, 'ramp']);
  });

  test('S1: the attempt count survives, so that a back-off goes on', async () => {
    const sleeps: number[] = [];
    const sleepWindowMs = (attempt: number) => {
      sleeps.push(attempt);
      return 100;
    };
    const { breaker, clock } = setUp({ sleepWindowMs });
    await fail(breaker);
    await clock.advance(100);
    await fail(breaker);
    const { breaker: next, clock: later } = revive(breaker, { sleepWindowMs });
    await later.advance(100);
    await fail(next);
    expect(sleeps).toEqual([1, 2, 3]);
  });

  const good = (): Record<string, unknown> => through(setUp().breaker) as unknown as Record<string, unknown>;
  test.each([
    ['null', null],
    ['a string', 'closed'],
    ['a list', []],
    ['an empty object', {}],
    ['another version', { ...good(), version: 2 }],
    ['an unknown state', { ...good(), state: 'ajar' }],
    ['no generation', { ...good(), generation: undefined }],
    ['generation 0', { ...good(), generation: 0 }],
    ['a broken generation', { ...good(), generation: 1.5 }],
    ['a name that is none', { ...good(), name: 5 }],
    ['no trip', { ...good(), trip: undefined }],
    ['a trip of no rule', { ...good(), trip: {} }],
    ['a trip whose rule has no name', { ...good(), trip: { rule: 1, counter: 1 } }],
    ['a broken counter', { ...good(), trip: { rule: 'consecutiveFailures', counter: -1 } }],
    ['open without evidence', { ...good(), state: 'open', attempt: 1, downForMs: 0, openForMs: 0, sleepMs: 0 }],
    ['an unknown set state', { ...good(), forced: { state: 'closed' } }],
    ['a broken ramp', { ...good(), ramp: { elapsedMs: -1, credit: 0 } }],
  ])('S1: a bad snapshot throws TypeError: %s', (_what, snapshot) => {
    expect(() => circuitBreaker({ restore: snapshot as Snapshot })).toThrow(TypeError);
  });
});

test.each([0.1, 0.3, 0.07, 1 / 3])(
  'S1: a recovering breaker can be written at any call, initial share %d',
  async (initialShare) => {
    const { breaker, clock } = setUp({ recovery: { rampMs: 1_000, initialShare } });
    await fail(breaker);
    await clock.advance(1_000);
    await succeed(breaker);
    for (let i = 0; i < 200; i++) {
      stampede(breaker, 1);
      const restore = JSON.parse(JSON.stringify(breaker));
      expect(circuitBreaker({ restore }).state).toBe('closed');
    }
  },
);

test('S1: a snapshot of another window size is restored with a fresh window', async () => {
  const rule = (windowMs: number) => failureRate({ threshold: 0.5, windowMs, minimumCalls: 1 });
  const { breaker } = setUp({ trip: rule(1_000) });
  await fail(breaker);
  const restored = circuitBreaker({ trip: rule(2_000), restore: JSON.parse(JSON.stringify(breaker)) });
  expect(restored.state).toBe('open');
});

test('S1: a rule of the user’s may measure what it likes, and its breaker can be written and restored', async () => {
  for (const value of [-0.5, 1e300, Number.NaN, Number.POSITIVE_INFINITY]) {
    const trip: TripRule = {
      name: 'mine',
      start: () => ({
        record: () => true,
        measure: () => ({ rule: 'mine', value, threshold: -value, calls: 1, failures: value }),
        clear: () => {},
        toJSON: () => 0,
      }),
    };
    const { breaker, clock } = setUp({ trip });
    await fail(breaker);
    const restored = circuitBreaker({ clock, trip, restore: through(breaker) });
    expect(restored.state).toBe('open');
    expect(restored.explain()).toContain('mine at');
    expect(circuitBreaker({ clock, trip, restore: breaker.toJSON() }).explain()).toBe(restored.explain());
  }
});

test('S1: a restored breaker explains itself in the words of the old one', async () => {
  for (const trip of [
    allOf(consecutiveFailures(1), failureRate({ threshold: 0.5, windowCalls: 1 })),
    anyOf(consecutiveFailures(9), failureRate({ threshold: 0.5, windowCalls: 1 })),
  ]) {
    const { breaker, clock } = setUp({ trip });
    await fail(breaker);
    expect(circuitBreaker({ clock, trip, restore: through(breaker) }).explain()).toBe(breaker.explain());
  }
});
