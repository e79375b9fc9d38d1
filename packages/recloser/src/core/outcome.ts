import { atOnce } from './asked.ts';
import type { Scope } from './call/scope.ts';
import { RejectedError } from './errors.ts';
import { report } from './events/emitter.ts';
import type { Basics } from './policy-options.ts';

/** What one call says about the dependency. An ignored call is no sample and decides nothing. */
export type Verdict = 'success' | 'failure' | 'ignored';

/** What a classifier is told of a finished call. */
export interface Outcome {
  /** True if the function returned or its promise was fulfilled. */
  readonly ok: boolean;
  /** What it returned; `undefined` if it threw. */
  readonly value: unknown;
  /** What it threw, our own `TimeoutError`, or the reason of the caller's abort; `undefined` if it returned. */
  readonly error: unknown;
  /** From admission to the end, in milliseconds; 0 for a call that began before `update` gave the breaker its classifier. */
  readonly elapsedMs: number;
  /** What the caller gave as `key` and `context`. */
  readonly key: string | undefined;
  readonly context: unknown;
  /** True if the caller's signal ended the call. */
  readonly aborted: boolean;
}

/** What a classifier returns. `retryAfterMs`: how long the dependency asked to be left alone (HTTP Retry-After, gRPC pushback). */
export type Classification = Verdict | { readonly verdict: Verdict; readonly retryAfterMs?: number | undefined };

/**
 * Decides what a finished call says about the dependency; it never changes what the caller gets. `undefined` leaves the
 * call to the default.
 */
export type Classifier = (outcome: Outcome) => Classification | undefined;

/** How many calls ended with which verdict. */
export type Verdicts = Record<Verdict, number>;

/*@__NO_SIDE_EFFECTS__*/
export const noVerdicts = (): Verdicts => ({ success: 0, failure: 0, ignored: 0 });

/** The same as figures of a policy, of so many calls in all. */
export const figuresOf = (
  totalRequests: number,
  { success, failure, ignored }: Verdicts,
  rejected = 0,
): Record<`${'total' | 'successful' | 'failed' | 'ignored'}Requests` | 'inFlight', number> => ({
  totalRequests,
  successfulRequests: success,
  failedRequests: failure,
  ignoredRequests: ignored,
  inFlight: totalRequests - success - failure - ignored - rejected,
});

/** A verdict, and for how long the dependency asked to be left alone; 0 if it did not. */
export interface Judgement {
  readonly verdict: Verdict;
  readonly retryAfterMs: number;
}

/** How long the dependency asked to be left alone, if its error or the classifier's answer says so. Never throws. */
export function retryAfterOf(said: unknown): number {
  try {
    const ms = (said as { retryAfterMs?: unknown } | null | undefined)?.retryAfterMs;
    return typeof ms === 'number' && ms > 0 ? ms : 0;
  } catch {
    return 0;
  }
}

/**
 * The rule without a classifier: a throw is a failure, except that a refusal by an inner policy and an abort by the caller
 * say nothing about the dependency. A deadline (`AbortSignal.timeout`) is no change of mind of the caller's: it is a failure.
 */
export function defaultVerdict(ok: boolean, error: unknown, aborted: boolean): Verdict {
  if (ok) return 'success';
  try {
    const whim = aborted && (error as { name?: unknown } | null | undefined)?.name !== 'TimeoutError';
    return whim || error instanceof RejectedError ? 'ignored' : 'failure';
  } catch {
    return aborted ? 'ignored' : 'failure'; // a getter threw
  }
}

/** Asks the user's classifier; `undefined` if it throws or answers nonsense, which is reported. */
export function judge(classify: Classifier, outcome: Outcome, policy: Basics): Judgement | undefined {
  try {
    const said = atOnce(classify(outcome), policy, 'classify');
    const answer = said ?? defaultVerdict(outcome.ok, outcome.error, outcome.aborted);
    const verdict = typeof answer === 'object' ? answer.verdict : answer;
    if (!/^(success|failure|ignored)$/.test(verdict)) throw new TypeError(`classify: ${String(verdict)} is no verdict`);
    return { verdict, retryAfterMs: Math.max(retryAfterOf(answer), retryAfterOf(outcome.error)) };
  } catch (fault) {
    report(policy, fault, 'classify');
    return undefined;
  }
}

/**
 * What one call says, for those who act on each: who tries again, or counts what was accepted. A refusal of an inner policy is never a
 * failure, whatever the classifier says, and a classifier that throws leaves it at the default: nothing is done twice because of a fault
 * in it. A call that its caller gave up ended with the reason for that: what else it ended with came before.
 */
export function assess(
  classify: Classifier | undefined,
  scope: Pick<Scope, 'aborted' | 'reason' | 'key' | 'context'>,
  ok: boolean,
  result: unknown,
  elapsedMs: number,
  policy: Basics,
): Judgement {
  const { key, context } = scope;
  const aborted = !ok && scope.aborted && Object.is(result, scope.reason);
  const usual = { verdict: defaultVerdict(ok, result, aborted), retryAfterMs: ok ? 0 : retryAfterOf(result) };
  if (classify === undefined || aborted || (!ok && result instanceof RejectedError)) return usual;
  const [value, error] = ok ? [result, undefined] : [undefined, result];
  return judge(classify, { ok, value, error, elapsedMs, aborted, key, context }, policy) ?? usual;
}
