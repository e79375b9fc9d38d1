import { RejectedError, TimeoutError } from './errors.ts';

/** What one call says about the dependency. An ignored call is no sample and decides nothing. */
export type Verdict = 'success' | 'failure' | 'ignored';

/** What a classifier gets to see of a finished call. */
export interface Outcome {
  /** True if the function returned or its promise was fulfilled. */
  readonly ok: boolean;
  /** What it returned; `undefined` if it threw. */
  readonly value: unknown;
  /** What it threw, our own `TimeoutError`, or the reason of the caller's abort; `undefined` if it returned. */
  readonly error: unknown;
  /** From admission to the end, in milliseconds. */
  readonly elapsedMs: number;
  /** What the caller gave as `key` and `context`. */
  readonly key: string | undefined;
  readonly context: unknown;
  /** True if the caller's signal ended the call. */
  readonly aborted: boolean;
}

/** The answer of a classifier. `retryAfterMs`: how long the dependency asked to be left alone (HTTP Retry-After, gRPC pushback). */
export type Classification = Verdict | { readonly verdict: Verdict; readonly retryAfterMs?: number | undefined };

/**
 * Decides what a finished call says about the dependency; it never changes what the caller gets. `undefined` leaves the
 * call to the default.
 */
export type Classifier = (outcome: Outcome) => Classification | undefined;

/** A verdict with the dependency's wish to be left alone. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly retryAfterMs: number;
}

export const judged: Readonly<Record<Verdict, Judgement>> = {
  success: { verdict: 'success', retryAfterMs: 0 },
  failure: { verdict: 'failure', retryAfterMs: 0 },
  ignored: { verdict: 'ignored', retryAfterMs: 0 },
};

const isDeadline = (reason: unknown): boolean =>
  typeof reason === 'object' && reason !== null && (reason as { name?: unknown }).name === 'TimeoutError';

/**
 * The rule without a classifier: what threw failed, except that a refusal of an inner policy and an abort by the caller
 * say nothing about the dependency. A deadline (`AbortSignal.timeout`) is no whim of the caller's: it failed.
 */
export function defaultJudgement(ok: boolean, error: unknown, aborted: boolean): Judgement {
  if (ok) return judged.success;
  if (error instanceof RejectedError) return judged.ignored;
  if (aborted && !(error instanceof TimeoutError) && !isDeadline(error)) return judged.ignored;
  return judged.failure;
}

/** Asks the user's classifier. One that throws or answers nonsense counts as failure and is reported. */
export function judge(classify: Classifier, outcome: Outcome, report: (fault: unknown) => void): Judgement {
  try {
    const answer = classify(outcome);
    if (answer === undefined) return defaultJudgement(outcome.ok, outcome.error, outcome.aborted);
    const verdict = typeof answer === 'object' && answer !== null ? answer.verdict : answer;
    if (!Object.hasOwn(judged, verdict)) throw new TypeError(`classify answered ${String(verdict)}, not a verdict`);
    if (typeof answer !== 'object' || answer.retryAfterMs === undefined) return judged[verdict];
    const { retryAfterMs } = answer;
    if (typeof retryAfterMs !== 'number' || !(retryAfterMs >= 0)) {
      report(new RangeError(`classify: retryAfterMs must be a number of at least 0, got ${String(retryAfterMs)}`));
      return judged[verdict];
    }
    return { verdict, retryAfterMs };
  } catch (fault) {
    report(fault);
    return judged.failure;
  }
}
