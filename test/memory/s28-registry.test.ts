import { type Registry, registry } from 'recloser';
import { describe, expect, test } from 'vitest';
import { settledHeap } from '../support/heap.ts';

const mib = 1_024 * 1_024;
let seen = 0;

/** One call for each of so many keys nobody has seen before. */
async function visit(hosts: Registry, keys: number): Promise<void> {
  for (let i = 0; i < keys; i++) await hosts.execute(() => i, { key: `host ${++seen}` });
}

describe('memory of a registry', () => {
  test('S28: 1,000,000 keys seen with 10,000 kept weigh what 100,000 do ± 1 MiB, listeners or none', async () => {
    const hosts = registry({ onOpened: () => {}, parent: {} });
    const empty = await settledHeap();
    await visit(hosts, 100_000);
    const before = await settledHeap();
    await visit(hosts, 900_000);
    expect((await settledHeap()) - before).toBeLessThan(mib);
    expect(before - empty).toBeLessThan(10_000 * 2_500);
    expect(hosts.metrics()).toMatchObject({
      size: 10_000,
      evicted: 990_000,
      successfulRequests: 1_000_000,
      states: { closed: 10_000 },
    });
  }, 120_000);

  test('S28: with all protected 100,000 new keys weigh nothing', async () => {
    const hosts = registry({ maxEntries: 1_000 });
    for (let i = 0; i < 1_000; i++) hosts.get(`key ${i}`).forceOpen();
    await visit(hosts, 1_000);
    const before = await settledHeap();
    await visit(hosts, 100_000);
    expect((await settledHeap()) - before).toBeLessThan(mib);
    expect(hosts.metrics()).toMatchObject({ size: 1_001, overflowed: 101_000 });
  });

  test('S28: a key that was cut from a long text does not keep the text alive', async () => {
    const hosts = registry();
    const before = await settledHeap();
    for (let i = 0; i < 100; i++) {
      const body = `${i} `.padEnd(mib, `a tenant’s request, number ${i}; `);
      hosts.get(body.slice(10, 60));
    }
    expect((await settledHeap()) - before).toBeLessThan(10 * mib);
    expect(hosts.size).toBe(100);
  });

  test('S28: what was evicted is let go of, its listeners and the parent’s notes with it', async () => {
    const hosts = registry({ maxEntries: 1, parent: {}, onClosed: () => {} });
    let gone = 0;
    const finalized = new FinalizationRegistry(() => gone++);
    for (let i = 0; i < 20; i++) {
      const breaker = hosts.get(`key ${i}`);
      finalized.register(breaker, i);
      breaker.on('opened', () => {});
      breaker.acquire()?.failure(new Error('once'));
    }
    for (let i = 0; i < 20 && gone < 19; i++) {
      await new Promise((resolve) => setImmediate(resolve));
      globalThis.gc?.();
    }
    expect(gone).toBeGreaterThanOrEqual(18);
  });
});
