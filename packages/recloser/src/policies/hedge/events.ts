import type { BudgetExhausted } from '../../core/budget.ts';

/** Another attempt begins beside those under way: none of them has answered yet. */
export interface Hedged {
  readonly policy: string;
  readonly key: string | undefined;
  /** The attempt that begins, from 2. */
  readonly attempt: number;
  /** How long the one before was waited for. */
  readonly delayMs: number;
}

/** A hedged call has its answer; the other attempts are called off. */
export interface Won {
  readonly policy: string;
  readonly key: string | undefined;
  /** Whose answer it is: 1 is the first attempt, which was not hedged in vain only if it lost. */
  readonly attempt: number;
  /** How many were made. */
  readonly attempts: number;
}

/** What listeners get, by event. */
export interface HedgeEvents {
  hedged: Hedged;
  won: Won;
  'budget-exhausted': BudgetExhausted;
}

export const eventNames: readonly (keyof HedgeEvents)[] = ['hedged', 'won', 'budget-exhausted'];
