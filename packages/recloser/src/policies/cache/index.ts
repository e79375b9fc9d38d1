export { type Cache, type CacheMetrics, cache } from './cache.ts';
export type { CacheEvents, Evicted, Hit, Missed, Revalidated, RevalidationFailed, Stale } from './events.ts';
export type { CacheOptions, TimeToLive } from './options.ts';
export type { CacheEntry, CacheStore, FoundEntry } from './store.ts';
