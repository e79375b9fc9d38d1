import type { BudgetExhausted } from '../../core/budget.ts';
import type { Verdict } from '../../core/outcome.ts';

/** Another attempt is to be made, after the delay; it is paid for already. */
export interface RetryScheduled {
  readonly policy: string;
  readonly key: string | undefined;
  /** The attempt to come, from 2. */
  readonly attempt: number;
  readonly delayMs: number;
  /** What the last attempt failed with; `undefined` where it returned a value that `classify` calls a failure. */
  readonly error: unknown;
}

/** A call succeeded after all. */
export interface Recovered {
  readonly policy: string;
  readonly key: string | undefined;
  /** How many it took, from 2. */
  readonly attempts: number;
}

/** Why a failed call is not tried again. */
export type GaveUpCause = 'attempts' | 'elapsed' | 'retry-after' | 'budget';

/** A failed call is not tried again, though by its kind it could be. */
export interface GaveUp {
  readonly policy: string;
  readonly key: string | undefined;
  /** How many were made, from 1. */
  readonly attempts: number;
  /**
   * `attempts`: all of them were made; `elapsed`: the next would begin after `maxElapsedMs`; `retry-after`: the dependency asked for
   * longer than `maxDelayMs`; `budget`: that is spent.
   */
  readonly cause: GaveUpCause;
  readonly error: unknown;
}

/** A call has ended, after however many attempts. */
export interface RetrySettled {
  readonly policy: string;
  /** How many were made, from 1. */
  readonly attempts: number;
  readonly verdict: Verdict;
}

/** What listeners get, by event. */
export interface RetryEvents {
  'retry-scheduled': RetryScheduled;
  recovered: Recovered;
  'gave-up': GaveUp;
  /** `gave-up` follows. */
  'budget-exhausted': BudgetExhausted;
  /** Of every call, after what else is told of it. */
  settled: RetrySettled;
}

export const eventNames: readonly (keyof RetryEvents)[] = [
  'retry-scheduled',
  'recovered',
  'gave-up',
  'budget-exhausted',
  'settled',
];
