import { type Cache, type CacheEvents, type CacheOptions, cache } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';

/** A cache on a clock of its own, with all it tells and reports. */
export interface CacheScene {
  readonly clock: ManualClock;
  readonly policy: Cache;
  readonly told: [keyof CacheEvents, unknown][];
  readonly faults: unknown[];
  /** Counts up: each call’s answer is another. */
  work(): Promise<number>;
  get(key?: string, signal?: AbortSignal): Promise<number>;
  /** How often `work` was called. */
  calls(): number;
}

export function setUp(options: Partial<CacheOptions<never>> = {}, clock: ManualClock = manualClock()): CacheScene {
  const told: [keyof CacheEvents, unknown][] = [];
  const faults: unknown[] = [];
  const policy = cache({
    name: 'kept',
    ttlMs: 100,
    clock,
    onHit: (event) => told.push(['hit', event]),
    onMiss: (event) => told.push(['miss', event]),
    onStale: (event) => told.push(['stale', event]),
    onRevalidated: (event) => told.push(['revalidated', event]),
    onRevalidationFailed: (event) => told.push(['revalidation-failed', event]),
    onEvicted: (event) => told.push(['evicted', event]),
    onListenerError: (fault, event) => faults.push([(fault as Error).message, event]),
    ...options,
  });
  let calls = 0;
  const work = async (): Promise<number> => ++calls;
  const get = (key?: string, signal?: AbortSignal): Promise<number> => policy.execute(work, { key, signal });
  return { clock, policy, told, faults, work, get, calls: () => calls };
}

export const down = (): Promise<never> => Promise.reject(new Error('down'));
export const hang = (): Promise<never> => new Promise(() => {});
export const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
