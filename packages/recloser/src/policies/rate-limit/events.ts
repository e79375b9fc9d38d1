import type { RejectionReason } from '../../core/errors.ts';

/** A call was refused. */
export interface RateLimitRejection {
  readonly policy: string;
  readonly key: string | undefined;
  readonly cost: number;
  /** `rate-limited`: there was not enough left; `queue-timeout`: not within `maxWaitMs` either. */
  readonly reason: RejectionReason;
  /** When there will be, if nobody else comes; `undefined` if it costs more than there ever is. */
  readonly retryAfterMs: number | undefined;
}

/** A call waits until there is enough for it. */
export interface Delayed {
  readonly policy: string;
  readonly key: string | undefined;
  readonly cost: number;
  /** How long, unless somebody before it gives up. */
  readonly waitMs: number;
  /** How many wait with it for the same limit now, this one included. */
  readonly queued: number;
}

/** A key was forgotten for want of room though it had used some of its limit: it begins anew. */
export interface KeyEvicted {
  readonly policy: string;
  readonly key: string | undefined;
}

/** What listeners get, by event. */
export interface RateLimitEvents {
  rejected: RateLimitRejection;
  delayed: Delayed;
  'key-evicted': KeyEvicted;
}

export const eventNames: readonly (keyof RateLimitEvents)[] = ['rejected', 'delayed', 'key-evicted'];
