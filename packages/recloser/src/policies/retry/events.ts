import type { BudgetExhausted } from '../../core/budget.ts';
import type { Verdict } from '../../core/outcome.ts';

/** Another attempt will be made after the delay; it is paid for already. */
export interface RetryScheduled {
  readonly policy: string;
  readonly key: string | undefined;
  /** The number of that attempt, from 2. */
  readonly attempt: number;
  readonly delayMs: number;
  /** What the last attempt failed with; `undefined` where it returned a value that `classify` calls a failure. */
  readonly error: unknown;
}

/** A call succeeded after more than one attempt. */
export interface Recovered {
  readonly policy: string;
  readonly key: string | undefined;
  /** How many attempts it took, from 2. */
  readonly attempts: number;
}

/** Why a failed call is not tried again. */
export type GaveUpCause = 'attempts' | 'elapsed' | 'retry-after' | 'budget';

/** A failed call that could be tried again is not. */
export interface GaveUp {
  readonly policy: string;
  readonly key: string | undefined;
  /** How many attempts were made, from 1. */
  readonly attempts: number;
  /**
   * `attempts`: all were made. `elapsed`: the next one would begin after `maxElapsedMs`. `retry-after`: the dependency asked to be left
   * alone for longer than `maxDelayMs`. `budget`: it is spent.
   */
  readonly cause: GaveUpCause;
  /** What the last attempt failed with; `undefined` where it returned a value that `classify` calls a failure. */
  readonly error: unknown;
}

/** A call has ended, after however many attempts. */
export interface RetrySettled {
  readonly policy: string;
  /** How many attempts were made, from 1. */
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
  /** Of every call, and the last event of it. */
  settled: RetrySettled;
}

export const eventNames: readonly (keyof RetryEvents)[] = [
  'retry-scheduled',
  'recovered',
  'gave-up',
  'budget-exhausted',
  'settled',
];
