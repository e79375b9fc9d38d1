import type { BudgetExhausted } from '../../core/budget.ts';

/** Another attempt begins, since none of those under way has answered. */
export interface Hedged {
  readonly policy: string;
  readonly key: string | undefined;
  /** The number of the attempt that begins, from 2. */
  readonly attempt: number;
  /** How long the attempt before had been waited for. */
  readonly delayMs: number;
}

/** A hedged call has its answer; the other attempts are called off. */
export interface Won {
  readonly policy: string;
  readonly key: string | undefined;
  /** Which attempt answered. If it is 1, the first, hedging was in vain. */
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
