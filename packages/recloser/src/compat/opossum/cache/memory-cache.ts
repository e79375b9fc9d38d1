import { wallTime } from '../../../core/time/clock.ts';

interface Entry {
  readonly value: unknown;
  /** 0: never. */
  readonly expiresAt: number;
}

/**
 * Values by key, the first stored first out, as opossum's `lib/cache.js`.
 *
 * @param maxEntries 2^24 − 1, the most that a `Map` holds, unless said; 0 keeps nothing
 * @param now a clock for `expiresAt`; epoch milliseconds unless said
 */
export class MemoryCache {
  readonly cache: Map<string, Entry> = new Map();
  readonly maxEntries: number;
  /** What `expiresAt` is compared with. */
  readonly now: () => number;

  constructor(maxEntries?: number | undefined, now: () => number = wallTime) {
    this.maxEntries = maxEntries ?? 2 ** 24 - 1;
    this.now = now;
  }

  get(key: string): unknown {
    const entry = this.cache.get(key);
    if (entry === undefined) return undefined;
    if (this.#isFresh(entry)) return entry.value;
    this.cache.delete(key);
    return undefined;
  }

  /** @param expiresAt when the value is no longer good, in milliseconds of `now`; 0 or left out: always good */
  set(key: string, value: unknown, expiresAt = 0): void {
    const { cache } = this;
    if (this.maxEntries < 1) return;
    // The oldest that expired go: what nobody reads again does not pile up.
    for (const [old, entry] of cache) {
      if (this.#isFresh(entry)) break;
      cache.delete(old);
    }
    const [oldest] = cache.size >= this.maxEntries && !cache.has(key) ? cache.keys() : [];
    if (oldest !== undefined) cache.delete(oldest);
    cache.set(key, { value, expiresAt });
  }

  delete(key: string): void {
    this.cache.delete(key);
  }

  flush(): void {
    this.cache.clear();
  }

  #isFresh({ expiresAt }: Entry): boolean {
    return expiresAt === 0 || expiresAt > this.now();
  }
}
