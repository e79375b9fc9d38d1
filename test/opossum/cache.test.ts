// Caching and coalescing, as opossum documents them.
import CircuitBreaker, { type CacheTransport, type MemoryCache } from 'recloser/opossum';
import { manualClock } from 'recloser/testing';
import { describe, expect, test, vi } from 'vitest';
import { rejection } from '../support/calls.ts';
import { hold, setUp } from './breakers.ts';

function numbered(options: object = {}) {
  let calls = 0;
  const clock = manualClock(1_000);
  const breaker = new CircuitBreaker(async (_id: number) => ++calls, { clock, cache: true, ...options });
  return { breaker, clock, calls: () => calls };
}

describe('cache', () => {
  test('answers the same arguments with the first result, other arguments with their own', async () => {
    const { breaker } = numbered();
    expect([await breaker.fire(1), await breaker.fire(1), await breaker.fire(2)]).toEqual([1, 1, 2]);
    expect(breaker.stats).toMatchObject({ fires: 3, cacheHits: 1, cacheMisses: 2, successes: 2 });
  });

  test('errors are not kept', async () => {
    const { breaker } = setUp({ cache: true, errorThresholdPercentage: 100 });
    await rejection(breaker.fire('fail'));
    await rejection(breaker.fire('fail'));
    expect(breaker.stats).toMatchObject({ cacheHits: 0, failures: 2 });
  });

  test('answers while the circuit is open', async () => {
    const { breaker } = numbered();
    await breaker.fire(1);
    breaker.open();
    expect(await breaker.fire(1)).toBe(1);
    await rejection(breaker.fire(2));
  });

  test('cacheTTL: a result is good for so long', async () => {
    const { breaker, clock } = numbered({ cacheTTL: 100 });
    await breaker.fire(1);
    await clock.advance(99);
    expect(await breaker.fire(1)).toBe(1);
    await clock.advance(1);
    expect(await breaker.fire(1)).toBe(2);
  });

  test('cacheTTL: steps of the wall clock change nothing', async () => {
    vi.useFakeTimers({ toFake: ['Date'] });
    const { breaker } = numbered({ cacheTTL: 100 });
    await breaker.fire(1);
    vi.setSystemTime(Date.now() + 3_600_000);
    expect(await breaker.fire(1)).toBe(1);
    vi.useRealTimers();
  });

  test('cacheSize: the first stored goes first', async () => {
    const { breaker } = numbered({ cacheSize: 2 });
    for (const id of [1, 2, 3]) await breaker.fire(id);
    expect((breaker.options.cacheTransport as MemoryCache).cache.size).toBe(2);
    expect([await breaker.fire(2), await breaker.fire(3), await breaker.fire(1)]).toEqual([2, 3, 4]);
  });

  test.each([{ cacheSize: 0 }, { cache: false, coalesce: true, coalesceSize: 0 }])(
    '%o keeps nothing',
    async (options) => {
      const { breaker } = numbered(options);
      expect([await breaker.fire(1), await breaker.fire(1)]).toEqual([1, 2]);
      expect(breaker.stats).toMatchObject({ cacheHits: 0, coalesceCacheHits: 0 });
    },
  );

  test('cacheGetKey: calls with the breaker as `this` say what is the same', async () => {
    const seen: unknown[] = [];
    const { breaker } = numbered({
      cacheGetKey(this: unknown, id: number) {
        seen.push(this);
        return `id ${id % 2}`;
      },
    });
    expect([await breaker.fire(1), await breaker.fire(3)]).toEqual([1, 1]);
    expect(new Set(seen)).toEqual(new Set([breaker]));
  });

  test('clearCache and shutdown forget', async () => {
    const { breaker } = numbered();
    await breaker.fire(1);
    breaker.clearCache();
    expect(await breaker.fire(1)).toBe(2);
    breaker.shutdown();
    expect((breaker.options.cacheTransport as MemoryCache).cache.size).toBe(0);
  });

  test('cacheTransport: gets a promise of the result, and until when it is good in epoch milliseconds', async () => {
    const set = vi.fn();
    const flush = vi.fn();
    const { breaker } = numbered({ cacheTTL: 5_000, cacheTransport: { get: () => undefined, set, flush } });
    const before = Date.now();
    await breaker.fire(7);
    const [key, value, expiresAt] = set.mock.calls[0] ?? [];
    expect([key, await value]).toEqual(['[7]', 1]);
    expect(expiresAt - before).toBeGreaterThanOrEqual(5_000);
    expect(expiresAt - before).toBeLessThan(6_000);
    breaker.clearCache();
    expect(flush).toHaveBeenCalledOnce();
  });

  test('cacheTransport: without a cacheTTL the result is good for ever: 0', async () => {
    const set = vi.fn();
    const { breaker } = numbered({ cacheTransport: { get: () => undefined, set, flush: () => {} } });
    await breaker.fire(7);
    expect(set.mock.calls[0]?.[2]).toBe(0);
  });

  test('cacheTransport: is left alone where nothing is cached', () => {
    const flush = vi.fn();
    numbered({ cache: false, cacheTransport: { get: () => {}, set: () => {}, flush } }).breaker.shutdown();
    expect(flush).not.toHaveBeenCalled();
  });

  test('a hit in the built-in cache is told before fire returns', async () => {
    const { breaker } = numbered();
    await breaker.fire(1);
    void breaker.fire(1);
    expect(breaker.stats.cacheHits).toBe(1);
  });

  test('cacheTransport: what is no promise is answered as one', async () => {
    const { breaker } = numbered({ cacheTransport: { get: () => 'kept', set: () => {}, flush: () => {} } });
    const answer = breaker.fire(1);
    expect(answer).toBeInstanceOf(Promise);
    expect(await answer).toBe('kept');
  });

  test('cacheTransport: without its methods it is none', () => {
    const cacheTransport = { get: () => {}, set: () => {} } as unknown as CacheTransport;
    expect(() => new CircuitBreaker(async () => 1, { cache: true, cacheTransport })).toThrow(
      new TypeError('options.cacheTransport should be an object with `get`, `set` and `flush` methods'),
    );
  });
});

describe('coalesce', () => {
  const coalesce = { coalesce: true, errorThresholdPercentage: 100, cacheGetKey: () => 'key' };

  test('calls of one key share one call of the action', async () => {
    const { breaker, calls } = numbered({ cache: false, coalesce: true });
    expect(await Promise.all([breaker.fire(1), breaker.fire(1), breaker.fire(2)])).toEqual([1, 1, 2]);
    expect(calls()).toBe(2);
    expect(breaker.stats).toMatchObject({ fires: 3, coalesceCacheHits: 1, coalesceCacheMisses: 2, successes: 2 });
  });

  test('coalesceTTL: also once it has ended, with its error too, `timeout` milliseconds unless said', async () => {
    const { breaker, clock } = setUp({ ...coalesce, timeout: 1_000 });
    await rejection(breaker.fire('fail'));
    await clock.advance(999);
    expect(await rejection(breaker.fire('ok'))).toMatchObject({ message: 'failed' });
    await clock.advance(1);
    expect(await breaker.fire('ok')).toBe('ok');
  });

  test.each([0, -5])('coalesceTTL: %d is for ever', async (coalesceTTL) => {
    const { breaker, clock } = setUp({ ...coalesce, coalesceTTL });
    await clock.advance(1_000);
    await breaker.fire('ok');
    await clock.advance(1e9);
    expect(await breaker.fire('fail')).toBe('ok');
  });

  test('coalesceResetOn: other words are dropped', () => {
    const coalesceResetOn = ['error', 'nonsense', 'success'] as 'error'[];
    expect(new CircuitBreaker(async () => 1, { coalesceResetOn }).options.coalesceResetOn).toEqual([
      'error',
      'success',
    ]);
  });

  test.each([
    ['error', 'fail', true],
    ['error', 'ok', false],
    ['success', 'ok', true],
    ['success', 'fail', false],
    ['timeout', 'hang', true],
    ['timeout', 'fail', false],
    ['error', 'hang', false],
  ] as const)('coalesceResetOn %s: after %s the next call is its own: %s', async (reset, outcome, isOwn) => {
    const { breaker, clock } = setUp({ ...coalesce, timeout: 100, coalesceTTL: 1_000, coalesceResetOn: [reset] });
    breaker.fire(outcome).catch(() => {});
    await clock.advance(100);
    expect(hold(breaker).started).toBe(isOwn);
  });

  test('coalesceSize: the first stored is shared no more', async () => {
    const { breaker } = numbered({ cache: false, coalesce: true, coalesceSize: 1 });
    await Promise.all([breaker.fire(1), breaker.fire(2), breaker.fire(1)]);
    expect(breaker.stats.coalesceCacheHits).toBe(0);
  });

  test('the cache is asked first', async () => {
    const { breaker } = numbered({ coalesce: true });
    await Promise.all([breaker.fire(1), breaker.fire(1)]);
    await breaker.fire(1);
    expect(breaker.stats).toMatchObject({ cacheMisses: 2, coalesceCacheHits: 1, cacheHits: 1 });
  });

  test('an open circuit rejects, and its rejection is not shared', async () => {
    const { breaker } = setUp(coalesce);
    breaker.open();
    expect(await rejection(breaker.fire('ok'))).not.toBe(await rejection(breaker.fire('ok')));
    expect(breaker.stats.coalesceCacheHits).toBe(0);
  });
});
