import { describe, expect, test } from 'vitest';
import { MemoryCache } from './memory-cache.ts';

function setUp(maxEntries?: number): { cache: MemoryCache; at: (ms: number) => void } {
  let now = 1;
  return { cache: new MemoryCache(maxEntries, () => now), at: (ms) => void (now = ms) };
}

describe('MemoryCache', () => {
  test('keeps 2^24 − 1 values unless said', () => {
    expect(new MemoryCache().maxEntries).toBe(2 ** 24 - 1);
    expect(new MemoryCache(5).maxEntries).toBe(5);
  });

  test('hands out what was stored, until it is deleted or all is flushed', () => {
    const { cache } = setUp();
    for (const key of ['a', 'b']) cache.set(key, key, 0);
    cache.delete('a');
    expect([cache.get('a'), cache.get('b'), cache.get('c')]).toEqual([undefined, 'b', undefined]);
    cache.flush();
    expect([cache.get('b'), cache.cache.size]).toEqual([undefined, 0]);
  });

  test('a value is good until its moment, one of 0 or without for ever', () => {
    const { cache, at } = setUp();
    cache.set('timed', 1, 100);
    cache.set('zero', 2, 0);
    cache.set('without', 3);
    at(99);
    expect(cache.get('timed')).toBe(1);
    at(100);
    expect([cache.get('timed'), cache.cache.size]).toEqual([undefined, 2]);
    expect([cache.get('zero'), cache.get('without')]).toEqual([2, 3]);
  });

  test('compares with epoch milliseconds unless it has a clock', () => {
    const cache = new MemoryCache();
    cache.set('past', 1, Date.now() - 1);
    cache.set('future', 2, Date.now() + 60_000);
    expect([cache.get('past'), cache.get('future')]).toEqual([undefined, 2]);
  });

  test('a full one forgets the first stored; storing anew does not make it younger', () => {
    const { cache } = setUp(2);
    for (const key of ['a', 'b', 'a', 'c']) cache.set(key, key, 0);
    expect([...cache.cache.keys()]).toEqual(['b', 'c']);
  });

  test('opossum 10: a value of undefined, or one that expired, is replaced in its place', () => {
    const { cache, at } = setUp(2);
    cache.set('a', undefined, 0);
    cache.set('b', 'b', 50);
    cache.set('b', undefined, 50);
    at(50);
    cache.set('b', 'new', 0);
    expect([...cache.cache.keys()]).toEqual(['a', 'b']);
  });

  test('opossum 10: what expired and is never read again does not pile up', () => {
    const { cache, at } = setUp();
    for (let i = 1; i <= 1_000; i++) {
      at(i * 10);
      cache.set(String(i), i, i * 10 + 50);
    }
    expect(cache.cache.size).toBe(5);
  });

  test.each([0, -1])('opossum 10: a size of %d is no licence to grow: nothing is kept', (size) => {
    const { cache } = setUp(size);
    for (let i = 0; i < 100; i++) cache.set(String(i), i, 0);
    expect([cache.get('99'), cache.cache.size]).toEqual([undefined, 0]);
  });
});
