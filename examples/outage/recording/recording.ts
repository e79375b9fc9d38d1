/** What a recording says of a call. */
export const outcomes = ['ok', 'error', 'slow', 'client_error'] as const;
export type Outcome = (typeof outcomes)[number];

/**
 * Recorded calls in the order of their starts, one entry a call in every column. Columns travel between processes at the
 * price of a copy; 27,000 objects would not.
 */
export interface Recording {
  /** In the order in which they first call. */
  readonly dependencies: readonly string[];
  readonly startMs: Float64Array;
  readonly durationMs: Float64Array;
  /** Index into `dependencies`. */
  readonly dependency: Uint32Array;
  /** Index into `outcomes`. */
  readonly outcome: Uint8Array;
  /** The HTTP status that tells this outcome; `noAnswer` for a connection that broke. */
  readonly status: Uint16Array;
}

export const noAnswer = 0;

/**
 * The status with which a server tells this outcome. The recorded one, if it says the same; without one an error is a 500,
 * and status 0 (no HTTP answer at all) stays what it was: a connection that breaks.
 */
export function statusOf(outcome: Outcome, recorded: string): number {
  const status = /^\d{1,3}$/.test(recorded) ? Number(recorded) : Number.NaN;
  const [low, high, otherwise] =
    outcome === 'error' ? [500, 599, 500] : outcome === 'client_error' ? [400, 499, 400] : [200, 399, 200];
  if (outcome === 'error' && status === 0) return noAnswer;
  return status >= low && status <= high ? status : otherwise;
}

/** The first call at or after a moment. */
export function firstCallFrom(recording: Recording, atMs: number): number {
  let [low, high] = [0, recording.startMs.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((recording.startMs[middle] as number) < atMs) low = middle + 1;
    else high = middle;
  }
  return low;
}
