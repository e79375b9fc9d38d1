import { RejectedError } from '../../core/errors.ts';
import { type Fallback, fallBack, GoodValues, lastGoodOf } from '../../core/fallback.ts';
import type { Verdict } from '../../core/outcome.ts';
import type { Caller } from './ticket.ts';

/** Whether a fallback may answer: on failures and on refusals, an inner policy's included; never on what else was ignored. */
export const mayFallBack = (verdict: Verdict, error: unknown): boolean =>
  verdict === 'failure' || error instanceof RejectedError;

/** What a breaker answers with in place of an error, and the last good values it keeps for that. */
export class Answers {
  readonly #now: () => number;
  readonly #good = new GoodValues();

  constructor(now: () => number) {
    this.#now = now;
  }

  instead(
    fallback: Fallback,
    error: unknown,
    outer: AbortSignal | undefined,
    caller: Caller | undefined,
  ): Promise<unknown> {
    const context = {
      key: caller?.key,
      context: caller?.context,
      // Not that of the call: a timeout has aborted it, and the fallback is to work.
      get signal() {
        return outer ?? new AbortController().signal;
      },
    };
    return fallBack(fallback, error, context, (wanted) => this.#good.get(wanted, caller?.key, this.#now()));
  }

  remember(fallback: Fallback, key: string | undefined, value: unknown): void {
    const wanted = lastGoodOf(fallback);
    if (wanted !== undefined) this.#good.put(wanted, key, value, this.#now());
  }
}
