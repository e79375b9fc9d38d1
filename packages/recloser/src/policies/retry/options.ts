import { budgetOrNone, type RetryBudget } from '../../core/budget.ts';
import type { Idempotent } from '../../core/call/attempt.ts';
import type { CallContext } from '../../core/call/context.ts';
import { callback, duration, flag, number, oneOf, type Reader, read } from '../../core/check.ts';
import type { Classifier } from '../../core/outcome.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { type Backoff, delays, exponential } from '../../core/time/backoff.ts';
import { eventNames, type RetryEvents } from './events.ts';

/** What a back-off gets to know of the attempt that failed. */
export interface FailedAttempt {
  /** What it threw; `undefined` where it returned a value that `classify` calls a failure. */
  readonly error: unknown;
  readonly value: unknown;
  /** How long the dependency asked to be left alone; 0 if it did not. */
  readonly retryAfterMs: number;
}

/** Options of `retry`. */
export interface RetryOptions extends PolicyOptions, ListenerOptions<RetryEvents> {
  /** Attempts at a call, the first included, from 1; default 3. */
  readonly attempts?: number | undefined;
  /** How long to wait before the next; `exponential({ initialMs: 100, maxMs: 10_000 })`, with full jitter, by default. */
  readonly backoff?: number | Backoff<FailedAttempt> | undefined;
  /** The longest wait, from 1 ms; default 30,000. A dependency that asks for longer (Retry-After) is not asked again. */
  readonly maxDelayMs?: number | undefined;
  /** No attempt begins later than so many milliseconds after the first; without it there is no such limit. One under way is not cut: see `timeout`. */
  readonly maxElapsedMs?: number | undefined;
  /** What an attempt says: a `failure` is tried again, thrown or returned. Unless said, what threw failed. */
  readonly classify?: Classifier | undefined;
  /** Which calls may be made twice: all (`safe`), those that are idempotent, none. `safe` unless `idempotent` is given. */
  readonly retry?: 'safe' | 'if-idempotent' | 'never' | undefined;
  /** Whether a call is idempotent; by default, whether its `context.idempotent` is true. */
  readonly idempotent?: Idempotent | undefined;
  /**
   * Whether refusals of inner policies that say when to come back (`retryAfterMs`: a rate limiter's) are waited for; default false.
   * Those of an open circuit never are.
   */
  readonly retryRefusals?: boolean | undefined;
  /** What retries are paid from; default a `retryBudget()` of its own. `false`: no bound at all. */
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
