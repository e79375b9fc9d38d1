import { budgetOrNone, type RetryBudget } from '../../core/budget.ts';
import type { Idempotent } from '../../core/call/attempt.ts';
import { also, callback, count, duration, number, type Reader, read } from '../../core/check.ts';
import type { Classifier } from '../../core/outcome.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { eventNames, type HedgeEvents } from './events.ts';

/** Options of `hedge`: `delayMs`, `quantile` or both. */
export interface HedgeOptions extends PolicyOptions, ListenerOptions<HedgeEvents> {
  /** How long to wait before the next attempt, from 1 ms. Beside `quantile`: the longest wait, also used until enough calls are known. */
  readonly delayMs?: number | undefined;
  /** Wait as long as this share of the calls of the last one to two minutes took, 0.5 … 0.999: 0.95 hedges one call in twenty. */
  readonly quantile?: number | undefined;
  /** How many calls must be known before `quantile` applies, from 1; default 20. */
  readonly minimumCalls?: number | undefined;
  /** Attempts beyond the first, 1 … 10; default 1. */
  readonly maxHedges?: number | undefined;
  /** Judges an attempt: after a `failure` the others are waited for. By default every error is a failure. */
  readonly classify?: Classifier | undefined;
  /** Whether this call may be made twice; by default every call may. */
  readonly idempotent?: Idempotent | undefined;
  /** What hedges are paid from; by default a `retryBudget()` of the policy's own. `false`: no limit but `maxHedges`. */
  readonly budget?: RetryBudget | false | undefined;
}

/** The options, checked and complete. */
export interface HedgeSettings extends PolicyOptions {
  readonly delayMs?: number;
  readonly quantile?: number;
  readonly minimumCalls: number;
  readonly maxHedges: number;
  readonly classify?: Classifier;
  readonly idempotent: Idempotent;
  readonly budget?: RetryBudget | false;
}

const known = also(
  policyOptions(
    eventNames,
    {},
    {
      delayMs: duration,
      quantile: number(0.5, 0.999),
      minimumCalls: count,
      maxHedges: number(1, 10, true),
      classify: callback as Reader<Classifier>,
      idempotent: callback as Reader<Idempotent>,
      budget: budgetOrNone,
    },
  ),
  ({ delayMs, quantile }, fault) => {
    if (delayMs === undefined && quantile === undefined) fault('delayMs or quantile', 'given', undefined);
  },
);

export const readOptions = (options: HedgeOptions): HedgeSettings => ({
  minimumCalls: 20,
  maxHedges: 1,
  idempotent: () => true,
  ...read('hedge', options, known),
});
