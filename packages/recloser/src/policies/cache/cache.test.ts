import { getEventListeners } from 'node:events';
import { type CallContext, cache, circuitBreaker, fallback, pipeline, retry, timeout } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, expectTypeOf, test, vi } from 'vitest';
import { down, hang, setUp } from '../../../../../test/support/caches.ts';
import { rejection } from '../../../../../test/support/calls.ts';

describe('fresh values', () => {
  test('a value is the answer to its key for ttlMs, to the very end, and the function is not called', async () => {
    const { clock, get, calls, told, policy } = setUp();
    expect(await get('a')).toBe(1);
    await clock.advance(100);
    expect(await get('a')).toBe(1);
    await clock.advance(1);
    expect(await get('a')).toBe(2);
    expect(calls()).toBe(2);
    expect(told).toEqual([
      ['miss', { policy: 'kept', key: 'a' }],
      ['hit', { policy: 'kept', key: 'a', ageMs: 100 }],
      ['miss', { policy: 'kept', key: 'a' }],
    ]);
    expect(policy.metrics()).toMatchObject({ totalRequests: 3, hitRequests: 1, missedRequests: 2, entries: 1 });
    expect(clock.pending).toBe(0);
  });

  test('each key has its own; calls without a key pass', async () => {
    const { get, policy } = setUp();
    expect([await get('a'), await get('b'), await get('a'), await get(), await get()]).toEqual([1, 2, 1, 3, 4]);
    expect(policy.metrics()).toMatchObject({ totalRequests: 5, hitRequests: 1, unkeyedRequests: 2, entries: 2 });
  });

  test.each([undefined, null, false, 0, ''])('%s is a value like any', async (value) => {
    const { policy } = setUp();
    const work = vi.fn(async () => value);
    await policy.execute(work, { key: 'a' });
    expect(await policy.execute(work, { key: 'a' })).toBe(value);
    expect(work).toHaveBeenCalledTimes(1);
  });

  test('an error is never kept', async () => {
    const { policy, get } = setUp();
    await rejection(policy.execute(down, { key: 'a' }));
    expect(policy.metrics()).toMatchObject({ entries: 0, inFlight: 0 });
    expect(await get('a')).toBe(1);
  });

  test('ttlMs may ask the value; what is not above 0 is not kept', async () => {
    const { clock, policy } = setUp({ ttlMs: (value: { maxAge: number }, key) => value.maxAge + key.length });
    const of = (maxAge: number) => policy.execute(() => ({ maxAge }), { key: 'a' });
    await of(10);
    await clock.advance(11);
    expect(await of(-1)).toEqual({ maxAge: 10 });
    await clock.advance(1);
    expect(await of(-1)).toEqual({ maxAge: -1 });
    expect(policy.metrics().entries).toBe(0);
    await of(Infinity);
    await clock.advance(1e12);
    expect(await of(5)).toEqual({ maxAge: Infinity });
  });

  test('a ttlMs that throws is reported, and the value not kept; nor where it answers no number', async () => {
    for (const [ttlMs, told] of [
      [() => Number.NaN, []],
      [
        () => {
          throw new Error('broken');
        },
        [
          ['broken', 'ttlMs'],
          ['broken', 'ttlMs'],
        ],
      ],
    ] as const) {
      const { policy, get, faults } = setUp({ ttlMs });
      expect(await get('a')).toBe(1);
      expect(await get('a')).toBe(2);
      expect(faults).toEqual(told);
      expect(policy.metrics().entries).toBe(0);
    }
  });

  test('keyOf says which calls ask for the same; where it throws, that is reported and the call passes', async () => {
    const { policy, work, faults } = setUp({
      keyOf: ({ key, context }) => {
        if (key === 'broken') throw new Error('x');
        return key && `${key}-${context}`;
      },
    });
    const get = (key: string, context: string) => policy.execute(work, { key, context });
    expect([await get('a', 'de'), await get('a', 'en'), await get('a', 'de')]).toEqual([1, 2, 1]);
    expect([await get('broken', 'de'), await get('broken', 'de')]).toEqual([3, 4]);
    expect(faults).toEqual([
      ['x', 'keyOf'],
      ['x', 'keyOf'],
    ]);
  });

  test('a wrapped function’s arguments can be the key', async () => {
    const { policy } = setUp();
    const load = vi.fn(async (id: number) => `user ${id}`);
    const cached = policy.wrap(load as (id: number) => Promise<string>, String);
    expect([await cached(1), await cached(1), await cached(2)]).toEqual(['user 1', 'user 1', 'user 2']);
    expect(load).toHaveBeenCalledTimes(2);
  });

  test('maxEntries are kept; the least recently used goes first', async () => {
    const { get, told, policy } = setUp({ maxEntries: 2 });
    await get('a');
    await get('b');
    await get('a');
    await get('c');
    expect(told.filter(([event]) => event === 'evicted')).toEqual([['evicted', { policy: 'kept', key: 'b' }]]);
    expect([await get('a'), await get('c')]).toEqual([1, 3]);
    expect(await get('b')).toBe(4);
    expect(policy.metrics()).toMatchObject({ entries: 2, evictions: 2 });
  });

  test('a value that takes the place of its own older one makes nobody go', async () => {
    const { get, clock, policy } = setUp({ maxEntries: 2 });
    await get('a');
    await get('b');
    await clock.advance(101);
    await get('a');
    expect(policy.metrics()).toMatchObject({ entries: 2, evictions: 0 });
  });

  test('invalidate forgets one key, clear all, and both at once', async () => {
    const { get, policy, clock } = setUp();
    await get('a');
    await get('b');
    void policy.invalidate('a');
    expect([await get('a'), await get('b')]).toEqual([3, 2]);
    void policy.clear();
    expect(policy.metrics().entries).toBe(0);
    expect(clock.pending).toBe(0);
    expect([await get('a'), await get('b')]).toEqual([4, 5]);
  });

  test('what is being fetched for other keys is kept all the same', async () => {
    const { policy, get } = setUp();
    let resolve = (_value: number): void => {};
    const other = policy.execute(() => new Promise<number>((yes) => (resolve = yes)), { key: 'b' });
    await policy.invalidate('a');
    resolve(7);
    expect(await other).toBe(7);
    expect(await get('b')).toBe(7);
  });

  test('what was being fetched when its key was invalidated is the answer to who asked before, and not kept', async () => {
    for (const forget of ['invalidate', 'clear'] as const) {
      const { policy, get } = setUp();
      let resolve = (_value: string): void => {};
      const early = policy.execute(() => new Promise<string>((yes) => (resolve = yes)), { key: 'a' });
      await policy[forget]('a');
      const later = get('a');
      resolve('old');
      expect(await early).toBe('old');
      expect(await later).toBe(1);
      expect(await get('a')).toBe(1);
    }
  });
});

describe('calls that miss together', () => {
  test('wait for one piece of work, and each may give up on its own', async () => {
    const { policy } = setUp();
    let resolve = (_value: string): void => {};
    let signal: AbortSignal | undefined;
    const work = vi.fn((context: CallContext) => {
      signal = context.signal;
      return new Promise<string>((yes) => (resolve = yes));
    });
    const [first, second] = [new AbortController(), new AbortController()];
    const calls = [first, second].map(({ signal }) => policy.execute(work, { key: 'a', signal }));
    first.abort('first');
    expect(await rejection(calls[0] as Promise<unknown>)).toBe('first');
    expect(signal?.aborted).toBe(false);
    resolve('value');
    expect(await calls[1]).toBe('value');
    expect(work).toHaveBeenCalledTimes(1);
    expect(policy.metrics()).toMatchObject({ missedRequests: 2, entries: 1 });
    for (const { signal } of [first, second]) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
  });

  test('without coalesce each works for itself', async () => {
    const { get, calls } = setUp({ coalesce: false });
    expect(await Promise.all([get('a'), get('a')])).toEqual([1, 2]);
    expect(calls()).toBe(2);
    expect(await get('a')).toBe(2);
  });

  test('S22: already aborted: the function is not called, and a kept value is no answer', async () => {
    const { get, calls, policy } = setUp();
    await get('a');
    expect(await rejection(get('a', AbortSignal.abort('enough')))).toBe('enough');
    expect(calls()).toBe(1);
    expect(policy.metrics().totalRequests).toBe(1);
  });
});

describe('among other policies', () => {
  test('a kept answer is no call for what is inside', async () => {
    const breaker = circuitBreaker();
    const all = pipeline(cache(60_000), breaker);
    for (let i = 0; i < 3; i++) expect(await all.execute(() => 'value', { key: 'a' })).toBe('value');
    expect(breaker.metrics()).toMatchObject({ totalRequests: 1, successfulRequests: 1 });
    breaker.forceOpen();
    expect(await all.execute(() => 'value', { key: 'a' })).toBe('value');
    expect(breaker.metrics()).toMatchObject({ totalRequests: 1, rejectedRequests: 0 });
  });

  test('what is fetched counts as the attempt of the call that fetches it', async () => {
    const all = pipeline(retry({ attempts: 3, backoff: 0 }), cache(60_000));
    const fetch = ({ attempt }: CallContext): unknown => (attempt < 3 ? down() : attempt);
    expect(await all.execute(fetch, { key: 'a' })).toBe(3);
  });

  test('two tiers, one around the other', async () => {
    const clock = manualClock();
    const [near, far] = [cache({ ttlMs: 10, clock }), cache({ ttlMs: 100, clock })];
    const all = pipeline(near, far);
    let calls = 0;
    const get = () => all.execute(() => ++calls, { key: 'a' });
    await get();
    await clock.advance(50);
    expect(await get()).toBe(1);
    expect([near.metrics().missedRequests, far.metrics().hitRequests]).toEqual([2, 1]);
  });

  test('a timeout around it ends one caller; the value it waited for is kept for the rest if somebody else waits', async () => {
    const clock = manualClock();
    const kept = cache({ ttlMs: 1_000, clock });
    const all = pipeline(timeout({ timeoutMs: 50, clock }), kept);
    const slow = () => new Promise((resolve) => clock.setTimeout(() => resolve('value'), 80));
    const impatient = rejection(all.execute(slow, { key: 'a' }));
    const patient = kept.execute(slow, { key: 'a' });
    await clock.advance(50);
    expect(await impatient).toMatchObject({ code: 'ERR_TIMEOUT' });
    await clock.advance(30);
    expect(await patient).toBe('value');
    expect(await all.execute(hang, { key: 'a' })).toBe('value');
  });

  test('a fallback’s answer, inside, would be kept: outside it is not', async () => {
    const all = pipeline(fallback('other'), cache(60_000));
    expect(await all.execute(down, { key: 'a' })).toBe('other');
    expect(await all.execute(() => 'good', { key: 'a' })).toBe('good');
  });
});

test('S25: a listener that throws changes nothing', async () => {
  const { get, faults } = setUp({
    onHit: () => {
      throw new Error('listener');
    },
  });
  await get('a');
  expect(await get('a')).toBe(1);
  expect(faults).toEqual([['listener', 'hit']]);
});

test('S26: all faults at once', () => {
  const wrong = { ttlMs: 0, maxEntries: 0, staleIfErrorMs: -1, store: { get: 1 }, coalesce: 'yes', size: 5 };
  expect(() => cache(wrong as never)).toThrow(
    /ttlMs must be a number from 1 .*staleIfErrorMs must be .*maxEntries must be an integer .*coalesce must be a boolean.*store must be a store with get,set,delete,clear.*unknown option size/,
  );
  const store = { get: () => null, set: () => {}, delete: () => {}, clear: () => {} };
  expect(() => cache({ ttlMs: 5, store, maxEntries: 5 })).toThrow(/maxEntries must be left to the store/);
  expect(() => cache({ ttlMs: 5, storeTimeoutMs: 5 })).toThrow(/storeTimeoutMs must be left out without a store/);
  for (const none of [undefined, null, {}, '5']) expect(() => cache(none as never)).toThrow(TypeError);
});

test('types: the result is the function’s own', () => {
  expectTypeOf(cache(5).execute(async () => 5)).toEqualTypeOf<Promise<number>>();
});
