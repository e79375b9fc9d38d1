import fc from 'fast-check';
import { expect, test } from 'vitest';
import { holds } from '../../../../test/support/properties.ts';
import { type Key, OpenKeys } from './open-keys.ts';

const windowMs = 100;
const at = (ms: number): number => Math.floor(ms / windowMs);

/** One that remembers everything and counts it anew each time. */
class NaiveKeys {
  readonly #used = new Map<number, number>();
  readonly #open = new Set<number>();

  use(key: number, now: number): void {
    this.#used.set(key, now);
  }

  opened(key: number): void {
    this.#open.add(key);
  }

  closed(key: number): void {
    this.#open.delete(key);
  }

  forget(key: number): void {
    this.#used.delete(key);
    this.#open.delete(key);
  }

  clear(): void {
    this.#open.clear();
  }

  measure(now: number): { calls: number; failures: number } {
    const inUse = [...this.#used].filter(([, usedAt]) => at(now) - at(usedAt) <= 1).map(([key]) => key);
    return { calls: inUse.length, failures: inUse.filter((key) => this.#open.has(key)).length };
  }
}

const step = fc.record({
  pauseMs: fc.constantFrom(0, 0, 0, 1, 30, 99, 100, 150, 250),
  key: fc.nat(6),
  action: fc.constantFrom('use', 'use', 'use', 'opened', 'opened', 'closed', 'forget', 'clear', 'read'),
});

test('S28: the keys in use and those of them that are open are those that a naive count finds', () => {
  holds(
    fc.property(fc.constantFrom(0, 5_000), fc.array(step, { maxLength: 80 }), (startMs, steps) => {
      const real = new OpenKeys({ windowMs });
      const naive = new NaiveKeys();
      const keys: Key[] = Array.from({ length: 7 }, () => ({ period: -Infinity, era: 0 }));
      let now = startMs;
      for (const { pauseMs, key, action } of steps) {
        now += pauseMs;
        const known = keys[key] as Key;
        if (action === 'use') real.use(known, now);
        if (action === 'opened') real.mark(known, real.era);
        if (action === 'closed') real.mark(known, 0);
        if (action === 'forget') real.mark(known, 0, -Infinity);
        if (action === 'clear') real.clear();
        if (action === 'clear') naive.clear();
        else if (action !== 'read') naive[action](key, now);
        if (action === 'read') expect(real.measure(now)).toMatchObject(naive.measure(now));
      }
      expect(real.measure(now)).toMatchObject(naive.measure(now));
    }),
    500,
  );
});
