export { MemoryCache } from './cache/memory-cache.ts';
export { CircuitBreaker as default } from './circuit-breaker.ts';
export type { BreakerError, BreakerErrorCode } from './errors.ts';
export type { BreakerEvents, EventName } from './events.ts';
export type { CacheTransport, CoalesceReset, Options, ResolvedOptions, State } from './options.ts';
export { Semaphore } from './semaphore.ts';
export type { Bucket, Counter, Counts, Stats, Window } from './status/bucket.ts';
export { Status, type StatusOptions } from './status/status.ts';
