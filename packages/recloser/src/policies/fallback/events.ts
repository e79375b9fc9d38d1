/** A call was answered in place of its error. */
export interface FellBack {
  readonly policy: string;
  readonly key: string | undefined;
  /** What the call failed with. */
  readonly error: unknown;
}

/** The fallback had no answer either. */
export interface FallbackFailed extends FellBack {
  /** What the caller gets: the last alternative's own error, or the call's error where no alternative threw. */
  readonly failure: unknown;
}

/** What listeners get, by event. */
export interface FallbackEvents {
  'fell-back': FellBack;
  'fallback-failed': FallbackFailed;
}

export const eventNames: readonly (keyof FallbackEvents)[] = ['fell-back', 'fallback-failed'];
