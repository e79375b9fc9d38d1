import { getEventListeners } from 'node:events';
import type { CacheEntry, CacheOptions, CacheStore, FoundEntry } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { down, hang, setUp, turn } from '../../../../../test/support/caches.ts';
import { rejection, stateOf } from '../../../../../test/support/calls.ts';

describe('a store', () => {
  /** Keeps entries on the clock as Redis would, each answer after `delayMs`. */
  const slowStore = (clock: ManualClock, delayMs = 0) => {
    const kept = new Map<string, CacheEntry & { readonly at: number; readonly keepMs: number }>();
    const after = <T>(run: () => T): Promise<T> =>
      delayMs === 0
        ? Promise.resolve().then(run)
        : new Promise((resolve) => clock.setTimeout(() => resolve(run()), delayMs));
    const store: CacheStore = {
      get: (key) =>
        after(() => {
          const entry = kept.get(key);
          return entry && { ...entry, ageMs: clock.now() - entry.at };
        }),
      set: (key, entry, keepMs) => after(() => kept.set(key, { ...entry, at: clock.now(), keepMs })),
      delete: (key) => after(() => kept.delete(key)),
      clear: () => after(() => kept.clear()),
    };
    return { kept, store };
  };
  const withStore = (store: (clock: ManualClock) => CacheStore, options: Partial<CacheOptions<never>> = {}) => {
    const clock = manualClock();
    return { ...setUp({ store: store(clock), ...options }, clock), clock };
  };
  const broken = (method: keyof CacheStore, how: () => unknown): CacheStore => ({
    get: () => undefined,
    set: () => undefined,
    delete: () => undefined,
    clear: () => undefined,
    [method]: how,
  });

  test('keeps what memory would: fresh, stale, invalidated and cleared alike', async () => {
    const clock = manualClock();
    const { kept, store } = slowStore(clock);
    const { get, policy, told } = setUp({ store, staleWhileRevalidateMs: 50, staleIfErrorMs: 1_000 }, clock);
    expect([await get('a'), await get('a')]).toEqual([1, 1]);
    expect(kept.get('a')).toMatchObject({ value: 1, ttlMs: 100, keepMs: 1_100 });
    await clock.advance(101);
    expect(await get('a')).toBe(1);
    await turn();
    expect(await get('a')).toBe(2);
    await clock.advance(1_100);
    expect(await policy.execute(down, { key: 'a' })).toBe(2);
    await policy.invalidate('a');
    expect(kept.size).toBe(0);
    expect(await get('a')).toBe(3);
    await policy.clear();
    expect(kept.size).toBe(0);
    expect(told.map(([event]) => event)).toEqual([
      ...['miss', 'hit', 'stale', 'revalidated', 'hit', 'miss', 'stale', 'miss'],
    ]);
    expect(policy.metrics()).toMatchObject({ storeFailures: 0, entries: 0 });
  });

  test('may be another policy’s memory, and answer without a promise', async () => {
    const kept = new Map<string, FoundEntry>();
    const store: CacheStore = {
      get: (key) => kept.get(key) ?? null,
      set: (key, entry) => kept.set(key, { ...entry, ageMs: 0 }),
      delete: (key) => kept.delete(key),
      clear: () => kept.clear(),
    };
    const { get } = setUp({ store });
    expect([await get('a'), await get('a')]).toEqual([1, 1]);
  });

  test.each([
    [
      'throws',
      () => {
        throw new Error('store');
      },
      'store',
    ],
    ['rejects', () => Promise.reject(new Error('store')), 'store'],
    ['answers nonsense', () => ({ value: 1 }) as never, 'get: an entry has ttlMs and ageMs'],
    ['answers text', () => 'text' as never, 'get: an entry has ttlMs and ageMs'],
  ])('one that %s is reported and counts as a miss', async (_what, how, message) => {
    const { get, faults, policy } = withStore(() => broken('get', how));
    expect(await get('a')).toBe(1);
    expect(faults).toEqual([[message, 'store']]);
    expect(policy.metrics()).toMatchObject({ storeFailures: 1, missedRequests: 1 });
  });

  test('one that hangs is reported after storeTimeoutMs and counts as a miss', async () => {
    const { get, clock, faults } = withStore(() => broken('get', hang), { storeTimeoutMs: 50 });
    const call = get('a');
    await clock.advance(49);
    expect(await stateOf(call)).toBe('pending');
    await clock.advance(1);
    expect(await call).toBe(1);
    expect(faults).toEqual([['the store of kept: timed out after 50 ms', 'store']]);
    expect(clock.pending).toBe(0);
  });

  test('S22: a caller need not wait for it to give up', async () => {
    const { get, policy, calls } = withStore(() => broken('get', hang));
    const caller = new AbortController();
    const call = get('a', caller.signal);
    caller.abort('enough');
    expect(await rejection(call)).toBe('enough');
    await turn();
    expect(calls()).toBe(0);
    expect(policy.metrics()).toMatchObject({ totalRequests: 0, storeFailures: 0 });
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  test.each(['set', 'delete', 'clear'] as const)(
    'a %s that fails is reported, and nobody waits for it in vain',
    async (method) => {
      for (const how of [() => Promise.reject(new Error('store')), hang]) {
        const { get, policy, faults, clock } = withStore(() => broken(method, how), { storeTimeoutMs: 50 });
        expect(await get('a')).toBe(1);
        const forgotten = Promise.all([policy.invalidate('a'), policy.clear()]);
        await clock.advance(50);
        await forgotten;
        expect(faults).toHaveLength(1);
        expect(policy.metrics().storeFailures).toBe(1);
        expect(clock.pending).toBe(0);
      }
    },
  );

  test('S22: a caller who gives up just as it answers gets the reason, and joins nothing', async () => {
    const { policy, work } = withStore(() => broken('get', () => null));
    const caller = new AbortController();
    // Both hear of the same lookup; the work of the first ends the second, whose turn comes next.
    const first = policy.execute(() => caller.abort('enough'), { key: 'a' });
    const second = rejection(policy.execute(work, { key: 'a', signal: caller.signal }));
    await first;
    expect(await second).toBe('enough');
    expect(policy.metrics().missedRequests).toBe(1);
    expect(getEventListeners(caller.signal, 'abort')).toHaveLength(0);
  });

  test('a value that is not to be kept asks it to forget an older one, and nothing where there is none', async () => {
    const forgotten: string[] = [];
    const kept: FoundEntry = { value: 'old', ttlMs: 10, ageMs: 11 };
    const store: CacheStore = {
      get: (key) => (key === 'old' ? kept : undefined),
      set: () => undefined,
      delete: (key) => void forgotten.push(key),
      clear: () => undefined,
    };
    const { get } = setUp({ store, ttlMs: () => 0 });
    await get('old');
    await get('new');
    expect(forgotten).toEqual(['old']);
  });

  test('an entry that never ends is one, and what has no age is none', async () => {
    const { get, faults } = withStore(() => broken('get', () => ({ value: 5, ttlMs: Infinity, ageMs: 3 })));
    expect(await get('a')).toBe(5);
    expect(faults).toEqual([]);
    const ageless = withStore(() => broken('get', () => ({ value: 5, ttlMs: 10, ageMs: Infinity })));
    expect(await ageless.get('a')).toBe(1);
    expect(ageless.faults).toHaveLength(1);
  });

  test('calls that miss it together still share one piece of work', async () => {
    const { get, calls, clock } = withStore((clock) => slowStore(clock, 5).store);
    const both = Promise.all([get('a'), get('a')]);
    await clock.advance(5);
    expect(await both).toEqual([1, 1]);
    expect(calls()).toBe(1);
  });
});
