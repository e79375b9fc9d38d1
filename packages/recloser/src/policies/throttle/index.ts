export { ThrottledError } from './errors.ts';
export type { ThrottleEvents, ThrottleRejection } from './events.ts';
export type { AdaptiveThrottleOptions } from './options.ts';
export { type AdaptiveThrottle, adaptiveThrottle, type ThrottleMetrics } from './throttle.ts';
