/** A call was answered with a fresh value. */
export interface Hit {
  readonly policy: string;
  readonly key: string;
  readonly ageMs: number;
}

/** There was no value to answer with at once, and the call went on. */
export interface Missed {
  readonly policy: string;
  readonly key: string;
}

/** A call was answered with a value that is no longer fresh. */
export interface Stale extends Hit {
  /** `revalidating`: a newer one is being fetched. `error`: the call failed. */
  readonly why: 'revalidating' | 'error';
  /** What the call failed with; `undefined` while revalidating. */
  readonly error: unknown;
}

/** A newer value was fetched in the background. */
export interface Revalidated {
  readonly policy: string;
  readonly key: string;
}

/** A background fetch failed. The caller had its answer already, so this is the only word of the error. */
export interface RevalidationFailed extends Revalidated {
  readonly error: unknown;
}

/** A value was dropped to make room for a new one. */
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
