import { rateLimit } from 'recloser';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { growthOfHeap } from '../support/heap.ts';

const kib = 1_024;

describe('bounds of the limits', () => {
  test('S29: the log of a sliding window stays below 200 entries, however many calls fit into it', async () => {
    let now = 0;
    const clock = { ...manualClock(), now: () => now };
    const kept: unknown[] = [];
    const grown = await growthOfHeap(() => {
      const policy = rateLimit({ permits: 2 ** 31 - 1, algorithm: 'sliding-window', clock });
      for (let i = 0; i < 90_000; i++) {
        now += 0.01;
        policy.tryAcquire();
      }
      kept.push(policy);
    });
    expect(grown).toBeLessThan(32 * kib);
  });

  test('S29: 200,000 keys leave at most maxKeys limits', async () => {
    const policy = rateLimit({ permits: 1, keyed: true, maxKeys: 100 });
    let n = 0;
    const grown = await growthOfHeap(() => {
      for (let i = 0; i < 50_000; i++) policy.tryAcquire(1, `key ${n++} ${'x'.repeat(50)}`);
    });
    expect(policy.metrics()).toMatchObject({ keys: 100, evictedKeys: n - 100 });
    expect(grown).toBeLessThan(64 * kib);
  });
});
