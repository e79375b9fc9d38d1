/** A call got an answer in place of its error. */
export interface FellBack {
  readonly policy: string;
  readonly key: string | undefined;
  /** What the call would have got. */
  readonly error: unknown;
}

/** There was no answer either. */
export interface FallbackFailed extends FellBack {
  /** What the caller gets: the last alternative's own error, or that of the call where none had anything to say. */
  readonly failure: unknown;
}

/** What listeners get, by event. */
export interface FallbackEvents {
  'fell-back': FellBack;
  'fallback-failed': FallbackFailed;
}

export const eventNames: readonly (keyof FallbackEvents)[] = ['fell-back', 'fallback-failed'];
