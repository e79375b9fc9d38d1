import type { RejectionReason } from '../../core/errors.ts';

/** A call was refused. */
export interface RateLimitRejection {
  readonly policy: string;
  readonly key: string | undefined;
  readonly cost: number;
  /** `rate-limited`: too few permits were left. `queue-timeout`: it waited, and there were too few within `maxWaitMs`. */
  readonly reason: RejectionReason;
  /** In how long there will be enough, if nobody else comes; `undefined` if it costs more than there can ever be. */
  readonly retryAfterMs: number | undefined;
}

/** A call waits for its permits. */
export interface Delayed {
  readonly policy: string;
  readonly key: string | undefined;
  readonly cost: number;
  /** How long, unless one before it gives up. */
  readonly waitMs: number;
  /** How many calls wait for the same limit now, this one included. */
  readonly queued: number;
}

/** A key was forgotten for want of room though part of its limit was used; it begins anew. */
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
