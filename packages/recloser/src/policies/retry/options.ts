import { budgetOrNone, type RetryBudget } from '../../core/budget.ts';
import type { Idempotent } from '../../core/call/attempt.ts';
import type { CallContext } from '../../core/call/context.ts';
import { callback, duration, flag, number, oneOf, type Reader, read } from '../../core/check.ts';
import type { Classifier } from '../../core/outcome.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { type Backoff, delays, exponential } from '../../core/time/backoff.ts';
import { eventNames, type RetryEvents } from './events.ts';

/** What a back-off is told of the attempt that failed. */
export interface FailedAttempt {
  /** What it threw; `undefined` where it returned a value that `classify` calls a failure. */
  readonly error: unknown;
  /** That value. */
  readonly value: unknown;
  /** How long the dependency asked to be left alone, in ms; 0 if it did not. */
  readonly retryAfterMs: number;
}

/** Options of `retry`. */
export interface RetryOptions extends PolicyOptions, ListenerOptions<RetryEvents> {
  /** Attempts at a call, the first included, from 1; default 3. `Infinity` for no limit but the budget and `maxElapsedMs`. */
  readonly attempts?: number | undefined;
  /** How many ms to wait before the next attempt, or a back-off; default `exponential({ initialMs: 100, maxMs: 10_000 })`: full jitter. */
  readonly backoff?: number | Backoff<FailedAttempt> | undefined;
  /** The longest wait, from 1 ms; default 30,000. If the dependency asks for a longer one (Retry-After), the call is not tried again. */
  readonly maxDelayMs?: number | undefined;
  /** No attempt begins later than this after the first, from 1 ms; no such limit by default. It ends no attempt: see `timeout`. */
  readonly maxElapsedMs?: number | undefined;
  /** Judges an attempt: after a `failure`, thrown or returned, the call is tried again. By default every error is a failure. */
  readonly classify?: Classifier | undefined;
  /** Which calls may be made twice: all (`safe`), idempotent ones, or none. Default `if-idempotent` beside `idempotent`, else `safe`. */
  readonly retry?: 'safe' | 'if-idempotent' | 'never' | undefined;
  /** Whether this call is idempotent; by default, whether its `context.idempotent` is true. */
  readonly idempotent?: Idempotent | undefined;
  /**
   * Whether to wait and try again after a refusal of an inner policy that says when to come back (`retryAfterMs`), such as a rate limit;
   * default false. A refusal of an open circuit is never tried again.
   */
  readonly retryRefusals?: boolean | undefined;
  /** What retries are paid from; by default a `retryBudget()` of the policy's own. `false`: no limit but `attempts`. */
  readonly budget?: RetryBudget | false | undefined;
}

/** The options, checked and complete. */
export interface RetrySettings extends PolicyOptions {
  readonly attempts: number;
  readonly backoff: number | Backoff<FailedAttempt>;
  readonly maxDelayMs: number;
  /** Infinity: no limit. */
  readonly maxElapsedMs: number;
  readonly classify?: Classifier;
  readonly repeatable: Idempotent;
  readonly retryRefusals: boolean;
  readonly budget?: RetryBudget | false;
}

const known = policyOptions(
  eventNames,
  {},
  {
    attempts: number(1, Infinity, true),
    backoff: delays,
    maxDelayMs: duration,
    maxElapsedMs: duration,
    classify: callback as Reader<Classifier>,
    retry: oneOf('safe', 'if-idempotent', 'never'),
    idempotent: callback as Reader<Idempotent>,
    retryRefusals: flag,
    budget: budgetOrNone,
  },
);

const repeatable = {
  safe: () => true,
  'if-idempotent': ({ context }: Pick<CallContext, 'context'>) =>
    (context as { idempotent?: unknown } | null | undefined)?.idempotent === true,
  never: () => false,
};

export function readOptions(options: RetryOptions): RetrySettings {
  const given = read('retry', options, known);
  const { idempotent, retry = idempotent ? 'if-idempotent' : 'safe' } = given;
  return {
    attempts: 3,
    backoff: exponential({ initialMs: 100, maxMs: 10_000 }),
    maxDelayMs: 30_000,
    maxElapsedMs: Infinity,
    retryRefusals: false,
    ...given,
    repeatable: (retry === 'if-idempotent' && idempotent) || repeatable[retry],
  };
}
