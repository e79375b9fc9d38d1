import {
  adaptiveConcurrency,
  adaptiveThrottle,
  anyOf,
  bulkhead,
  type Cache,
  type Coalesce,
  cache,
  chaos,
  circuitBreaker,
  coalesce,
  consecutiveFailures,
  fallback,
  hedge,
  type ListenerErrorHandler,
  rateLimit,
  registry,
  retry,
  type TripRule,
} from 'recloser';
import { manualClock } from 'recloser/testing';
import { expect, test } from 'vitest';
import { hang } from '../../../../test/support/caches.ts';
import { rejection } from '../../../../test/support/calls.ts';

const broken = new Error('async by mistake');
/** What stands where an option wants an answer at once. */
const late = (() => Promise.reject(broken)) as never;
const down = () => Promise.reject(new Error('down'));
const clock = manualClock();

interface Common {
  readonly onListenerError: ListenerErrorHandler;
  readonly clock: typeof clock;
}

function unkeyed(policy: Cache | Coalesce): number {
  void policy.execute(() => 1);
  return policy.metrics().unkeyedRequests;
}

const lateRule: TripRule = {
  name: 'late',
  start: () => ({
    record: late,
    measure: () => ({ rule: 'late', value: 0, threshold: 1, calls: 0 }),
    clear: () => {},
    toJSON: () => {},
  }),
};

async function stateUnder(trip: TripRule, common: Common): Promise<string> {
  const breaker = circuitBreaker({ ...common, trip });
  await breaker.execute(() => 1);
  return breaker.state;
}

/** By option: what a call comes to. It is as if the function had thrown. */
const cases: [option: string, of: string, (common: Common) => unknown, comesTo: unknown][] = [
  ['when', 'chaos', (o) => chaos({ ...o, rate: 1, fault: true, when: late, enabled: true }).execute(() => 1), 1],
  ['random', 'chaos', (o) => chaos({ ...o, rate: 0.9, fault: true, random: late, enabled: true }).execute(() => 1), 1],
  ['when', 'fallback', (o) => fallback('other', { ...o, when: late }).execute(down), 'other'],
  ['keyOf', 'coalesce', (o) => unkeyed(coalesce({ ...o, keyOf: late })), 1],
  ['keyOf', 'cache', (o) => unkeyed(cache({ ...o, ttlMs: 100, keyOf: late })), 1],
  [
    'ttlMs',
    'cache',
    async (o) => {
      const kept = cache({ ...o, ttlMs: late });
      await kept.execute(() => 1, { key: 'a' });
      return kept.execute(() => 2, { key: 'a' });
    },
    2,
  ],
  [
    'staleIf',
    'cache',
    async (o) => {
      const kept = cache({ ...o, ttlMs: 1, staleIfErrorMs: 1_000, staleIf: late });
      await kept.execute(() => 1, { key: 'a' });
      await clock.advance(2);
      return kept.execute(down, { key: 'a' });
    },
    1,
  ],
  [
    'cost',
    'rateLimit',
    async (o) => {
      const limit = rateLimit({ ...o, permits: 9, windowMs: 1_000, cost: late });
      await limit.execute(() => 1);
      return limit.metrics().available;
    },
    8,
  ],
  [
    'priority',
    'bulkhead',
    async (o) => {
      const places = bulkhead({ ...o, maxConcurrent: 1, maxQueue: 1, priority: late });
      void places.execute(hang);
      void places.execute(hang);
      return places.metrics().queued;
    },
    1,
  ],
  [
    'algorithm',
    'adaptiveConcurrency',
    async (o) => {
      const places = adaptiveConcurrency({ ...o, initialLimit: 5, roundCalls: 10, algorithm: late });
      for (let i = 0; i < 20; i++) await places.execute(() => i);
      return places.metrics().limit;
    },
    5,
  ],
  [
    'random',
    'adaptiveThrottle',
    async (o) => {
      const few = adaptiveThrottle({ ...o, random: late });
      for (let i = 0; i < 9; i++) await rejection(few.execute(down));
      return few.metrics().rejectedRequests;
    },
    0,
  ],
  [
    'idempotent',
    'retry',
    (o) => {
      let calls = 0;
      const again = retry({ ...o, retry: 'if-idempotent', idempotent: late, backoff: () => 0 });
      const run = () => {
        calls++;
        return down();
      };
      return rejection(again.execute(run)).then(() => calls);
    },
    1,
  ],
  [
    'idempotent',
    'hedge',
    async (o) => {
      const twice = hedge({ ...o, delayMs: 5, idempotent: late });
      void twice.execute(hang);
      await clock.advance(5);
      return twice.metrics().hedges;
    },
    0,
  ],
  [
    'classify',
    'retry',
    (o) => retry({ ...o, classify: late, attempts: 2, backoff: () => 0 }).execute(() => 'the default'),
    'the default',
  ],
  ['trip', 'circuitBreaker', (o) => stateUnder(lateRule, o), 'closed'],
  ['trip', 'anyOf', (o) => stateUnder(anyOf(lateRule, consecutiveFailures(5)), o), 'closed'],
  [
    'match',
    'registry',
    (o) => registry({ ...o, overrides: [{ match: late, options: { timeoutMs: 5 } }] }).get('a').settings.timeoutMs,
    0,
  ],
];

test.each(cases)(
  '%s of %s that is async by mistake has no answer, and where it rejects that is reported',
  async (option, _of, run, comesTo) => {
    const told: unknown[] = [];
    const onListenerError = (fault: unknown, where: string): void => void told.push([where, fault]);
    expect(await run({ clock, onListenerError })).toBe(comesTo);
    await clock.advance(0);
    expect(told[0]).toEqual([option, new TypeError(`${option} answered a promise`)]);
    expect(told).toContainEqual([option, broken]);
  },
);

test('latencyMs of chaos may be async, as its faults may; where it rejects the call fails with that', async () => {
  const monkey = chaos({ clock, rate: 1, latencyMs: late, enabled: true });
  expect(await rejection(monkey.execute(() => 1))).toBe(broken);
  const slow = chaos({ clock, rate: 1, latencyMs: (async () => 50) as never, enabled: true });
  let done = false;
  void slow.execute(() => {
    done = true;
  });
  await clock.advance(49);
  expect(done).toBe(false);
  await clock.advance(1);
  expect(done).toBe(true);
});

test('the key function of wrap that is async by mistake: the call is not made, and where it rejects that is reported', async () => {
  const told: unknown[] = [];
  const breaker = circuitBreaker({ clock, onListenerError: (fault, where) => void told.push([where, fault]) });
  let calls = 0;
  const load = breaker.wrap(() => calls++, late);
  expect(await rejection(load() as never)).toEqual(new TypeError('keyOf answered a promise'));
  await clock.advance(0);
  expect([calls, told]).toEqual([0, [['keyOf', broken]]]);
});
