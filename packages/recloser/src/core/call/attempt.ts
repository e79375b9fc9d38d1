import { asked } from '../asked.ts';
import type { RetryBudget } from '../budget.ts';
import type { Basics } from '../policy-options.ts';
import { bare, Call } from './call.ts';
import type { CallContext } from './context.ts';
import type { Scope } from './scope.ts';

/** Whether a call may be made twice, by whose it is. */
export type Idempotent = (call: Pick<CallContext, 'key' | 'context'>) => boolean;

/** Asks that; no if it throws. */
export function mayRepeat(idempotent: Idempotent, scope: Scope, policy: Basics): boolean {
  return asked<boolean>(policy, 'idempotent', () => idempotent(scope.shown()), false) === true;
}

/** One of several attempts at a call, which whoever makes them may call off. */
export class Attempt extends Call {
  readonly #number: number;
  /** What its call is already counted by. */
  readonly #budget: object | undefined;

  constructor(scope: Scope, number: number, budget?: object) {
    super(bare, scope, undefined, false);
    this.#number = number;
    this.#budget = budget;
  }

  override get attempt(): number {
    return this.#number;
  }

  /**
   * Counts the call by this budget and answers with it, unless a policy around has done so, as one may that shares it: retries and hedges
   * inside are more attempts, not more calls.
   */
  static counting(scope: Scope, budget: RetryBudget | undefined, shared: boolean): RetryBudget | undefined {
    for (let around = shared ? scope : undefined; around !== undefined; around = (around as Partial<Call>).scope) {
      if (around instanceof Attempt && around.#budget === budget) return undefined;
    }
    budget?.called();
    return budget;
  }
}
