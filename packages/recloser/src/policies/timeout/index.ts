export type { LateResult, TimedOut, TimeoutEvents } from './events.ts';
export type { TimeoutOptions } from './options.ts';
export { type Timeout, type TimeoutMetrics, timeout } from './timeout.ts';
