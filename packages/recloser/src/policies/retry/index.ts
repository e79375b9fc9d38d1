export type { GaveUp, GaveUpCause, Recovered, RetryEvents, RetryScheduled, RetrySettled } from './events.ts';
export type { FailedAttempt, RetryOptions } from './options.ts';
export { type Retry, type RetryMetrics, retry } from './retry.ts';
