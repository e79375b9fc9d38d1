import { duration, having, number, optionsOf, orFalse, type Reader, read, text } from './check.ts';
import { errorOf, type RejectedError, rejectedErrorClass } from './errors.ts';
import type { Verdict } from './outcome.ts';
import { type Basics, basicsOf, clockOption } from './policy-options.ts';
import type { Clock } from './time/clock.ts';

/**
 * There is no leave for one more attempt. `RetryBudget.refusal()` makes it, for retries of your own; `retry` and `hedge` reject with
 * the call's own error instead, and never try such a refusal again.
 */
export const RetryBudgetExhaustedError: typeof RejectedError = /* @__PURE__ */ rejectedErrorClass(
  'RetryBudgetExhaustedError',
  'ERR_RETRY_BUDGET_EXHAUSTED',
);
export type RetryBudgetExhaustedError = RejectedError;

/** Options of `retryBudget`. */
export interface RetryBudgetOptions {
  /** In its refusals; default `retry-budget`. */
  readonly name?: string | undefined;
  /** Extra attempts for each call that is under way or succeeded, 0 … 1; default 0.2. One that fails takes a whole one away. */
  readonly share?: number | undefined;
  /**
   * Extra attempts a second whatever becomes of the calls, 0 … 1,000,000; default 1: where calls are few a share is nothing. What is
   * not used is kept for ten seconds.
   */
  readonly minPerSecond?: number | undefined;
  /** How far back calls count, from 1 ms; default 5,000. */
  readonly windowMs?: number | undefined;
  /** Where time comes from; default the monotonic clock of the system. While it throws time stands still; that is printed, once. */
  readonly clock?: Clock | undefined;
}

/**
 * What attempts beyond the first are paid from, by any number of `retry` and `hedge` policies and by retries of your own. Its members
 * must not throw.
 */
export interface RetryBudget {
  readonly name: string;
  /** Extra attempts that could be made now; reading it changes nothing. */
  readonly available: number;
  /** How much of what it has to give is used, 0–1: what was taken lately over that and what is left. */
  readonly utilization?: number | undefined;
  /** A call begins. Not for its further attempts. */
  called(): void;
  /** That call ended, and was no success. Those that were need not be told. */
  ended(verdict: Verdict): void;
  /** Pays for one more attempt; false if there is nothing left. */
  take(): boolean;
  /** What to reject with where there is no error of the call's own. */
  refusal(): RetryBudgetExhaustedError;
}

/** The budget had nothing left for one more attempt at a call. */
export interface BudgetExhausted {
  readonly policy: string;
  readonly key: string | undefined;
  /** How many were made, from 1. */
  readonly attempts: number;
}

const keptMs = 10_000;

/**
 * Two buckets. One earns a share of the calls, and what it holds decays, so that it never holds more than `share` of the calls of the
 * last `windowMs`; the other fills by the time. Calls only count up a number: what they earned is worked out when somebody wants to take.
 *
 * Failures cost more than they had paid, because a dependency that is full serves a part of the calls: if those paid for retries of the
 * others it would stay full. (Simulated: it came back, and broke down again.)
 */
class TokenBuckets implements RetryBudget {
  readonly name: string;
  readonly #clock: Clock;
  readonly #share: number;
  readonly #perMs: number;
  readonly #windowMs: number;
  /** Below 0 it is in debt. */
  #earned = 0;
  #minimum: number;
  #at: number;
  /** Taken; it decays like what is earned. */
  #spent = 0;
  /** Since then: begun, less those that were no success; and failed. */
  #calls = 0;
  #failures = 0;

  constructor(
    { name, clock }: Pick<Basics, 'name' | 'clock'>,
    { share = 0.2, minPerSecond = 1, windowMs = 5_000 }: RetryBudgetOptions = {},
  ) {
    this.name = name;
    this.#clock = clock;
    this.#share = share;
    this.#perMs = minPerSecond / 1_000;
    this.#windowMs = windowMs;
    this.#minimum = this.#reserve;
    this.#at = clock.now();
  }

  /** At least one, or there would never be one. */
  get #reserve(): number {
    return this.#perMs && Math.max(1, this.#perMs * keptMs);
  }

  #balance(now: number): [earned: number, minimum: number, spent: number] {
    const ms = Math.max(0, now - this.#at);
    const windows = ms / this.#windowMs;
    const gone = -Math.expm1(-windows);
    // The calls came evenly over the time: of the early ones a part is gone as well.
    const since = this.#share * this.#calls - this.#failures;
    const earned = this.#earned * (1 - gone) + since * ((windows && gone / windows) || 1);
    return [earned, Math.min(this.#reserve, this.#minimum + this.#perMs * ms), this.#spent * (1 - gone)];
  }

  get available(): number {
    const [earned, minimum] = this.#balance(this.#clock.now());
    return whole(earned) + whole(minimum);
  }

  get utilization(): number {
    const [earned, minimum, spent] = this.#balance(this.#clock.now());
    const left = Math.max(0, earned) + Math.max(0, minimum);
    return left > 0 ? spent / (spent + left) : 1;
  }

  called(): void {
    this.#calls++;
  }

  ended(verdict: Verdict): void {
    if (verdict === 'success') return;
    this.#calls--;
    if (verdict === 'failure') this.#failures++;
  }

  take(): boolean {
    const now = this.#clock.now();
    let [earned, minimum, spent] = this.#balance(now);
    const fromEarned = whole(earned) > 0;
    const granted = fromEarned || whole(minimum) > 0;
    if (fromEarned) earned--;
    else if (granted) minimum--;
    if (granted) spent++;
    this.#earned = earned;
    this.#minimum = minimum;
    this.#spent = spent;
    this.#at = now;
    this.#calls = this.#failures = 0;
    return granted;
  }

  refusal(): RetryBudgetExhaustedError {
    const [, minimum] = this.#balance(this.#clock.now());
    const retryAfterMs = this.#perMs > 0 ? Math.max(0, Math.ceil((1 - minimum) / this.#perMs)) : undefined;
    const details = { breaker: this.name, reason: 'budget-exhausted', retryAfterMs } as const;
    return errorOf(RetryBudgetExhaustedError, 'the retry budget is spent', details);
  }
}

/** Tokens that are there; sums of shares miss a whole by a rounding. */
const whole = (tokens: number): number => Math.max(0, Math.floor(tokens + 1e-9));

const known = optionsOf(
  {},
  { name: text, clock: clockOption, share: number(0, 1), minPerSecond: number(0, 1_000_000), windowMs: duration },
);

/**
 * Bounds what retries and hedges add to the load: to a share of the calls that do not fail, and one a second besides. A call that fails
 * in the end takes a whole attempt away: when more than one in six fails, an outage, retries stop. An attempt is paid for when it is
 * planned, not when its back-off is over. (Envoy#30205)
 *
 * After Finagle's `RetryBudget`, gRPC's retry throttling (A6), and Brooker, "Fixing retries with token buckets and circuit breakers" (2022).
 *
 * @throws RangeError, TypeError
 * @example
 * const budget = retryBudget({ share: 0.1 });
 * const reads = retry({ attempts: 3, budget });
 * const writes = retry({ attempts: 2, budget });
 */
export function retryBudget(options: RetryBudgetOptions = {}): RetryBudget {
  const given = read('retryBudget', options, known);
  return new TokenBuckets(basicsOf('retry-budget', given), given);
}

/** An option that takes a budget, or `false` for none. */
export const budgetOrNone: Reader<RetryBudget | false> = orFalse(
  having('a retry budget or false', { called: 'function', ended: 'function', take: 'function' }),
);
/** The budget that such an option means: unless it is given, one of the policy's own. */
export const budgetOf = (given: RetryBudget | false | undefined, policy: Basics): RetryBudget | undefined =>
  given === undefined ? new TokenBuckets(policy) : given || undefined;
