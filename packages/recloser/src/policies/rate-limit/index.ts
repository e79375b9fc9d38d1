export { RateLimitedError } from './errors.ts';
export type { Delayed, KeyEvicted, RateLimitEvents, RateLimitRejection } from './events.ts';
export type { Cost, RateLimitOptions } from './options.ts';
export { type RateLimit, type RateLimitMetrics, rateLimit } from './rate-limit.ts';
