/** A kept value was the answer. */
export interface Hit {
  readonly policy: string;
  readonly key: string;
  readonly ageMs: number;
}

/** There was no value to answer with at once: the call went on. */
export interface Missed {
  readonly policy: string;
  readonly key: string;
}

/** A value older than its time to live was the answer. */
export interface Stale extends Hit {
  /** While a newer one is fetched, or because there was none to be had. */
  readonly why: 'revalidating' | 'error';
  /** What the call failed with, where that is why. */
  readonly error: unknown;
}

/** A newer value was fetched in the background. */
export interface Revalidated {
  readonly policy: string;
  readonly key: string;
}

/** It was not; the caller had its answer, so nobody else hears of the error. */
export interface RevalidationFailed extends Revalidated {
  readonly error: unknown;
}

/** A value made room for a new one. */
export interface Evicted {
  readonly policy: string;
  readonly key: string;
}

/** What listeners get, by event. */
export interface CacheEvents {
  hit: Hit;
  miss: Missed;
  stale: Stale;
  revalidated: Revalidated;
  'revalidation-failed': RevalidationFailed;
  evicted: Evicted;
}

export const eventNames: readonly (keyof CacheEvents)[] = [
  'hit',
  'miss',
  'stale',
  'revalidated',
  'revalidation-failed',
  'evicted',
];
