import { budgetOf, type RetryBudget } from '../../core/budget.ts';
import { Attempt } from '../../core/call/attempt.ts';
import type { Work } from '../../core/call/context.ts';
import type { Scope, Stage } from '../../core/call/scope.ts';
import { tellLife } from '../../core/events/channels.ts';
import { BasicLayer } from '../../core/layer.ts';
import { figuresOf, noVerdicts, type Verdict } from '../../core/outcome.ts';
import type { Policy } from '../../core/policy.ts';
import type { Basics } from '../../core/policy-options.ts';
import { eventNames, type HedgeEvents } from './events.ts';
import { type HedgeOptions, type HedgeSettings, readOptions } from './options.ts';
import { Pace } from './pace.ts';
import { type Organizer, Race } from './race.ts';

/** The figures of a hedging policy since it was made. */
export interface HedgeMetrics {
  readonly name: string;
  /** Calls, not attempts: successful + failed + ignored + in flight. */
  readonly totalRequests: number;
  readonly successfulRequests: number;
  readonly failedRequests: number;
  /** Refused further in, given up by their callers, or ignored by `classify`. */
  readonly ignoredRequests: number;
  readonly inFlight: number;
  /** Attempts beyond the first. */
  readonly hedges: number;
  /** Successful calls that were answered by such an attempt. */
  readonly hedgesWon: number;
  /** Calls that the budget had nothing left for. */
  readonly budgetExhausted: number;
  /** How long an attempt is waited for at the moment; `undefined` while too few calls are known. */
  readonly delayMs: number | undefined;
}

/** A policy that makes another attempt while the first is slow. */
export interface Hedge extends Policy {
  /** The figures of this moment. */
  metrics(): HedgeMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof HedgeEvents>(event: E, listener: (payload: HedgeEvents[E]) => void): () => void;
}

class HedgeLayer extends BasicLayer<HedgeEvents> implements Hedge, Organizer {
  declare readonly basics: Basics;
  readonly settings: HedgeSettings;
  readonly budget: RetryBudget | undefined;
  readonly timed: boolean;
  readonly #pace: Pace;
  readonly #ended = noVerdicts();
  #total = 0;
  #hedges = 0;
  #won = 0;
  #exhausted = 0;

  constructor(settings: HedgeSettings) {
    super('hedge', settings, eventNames);
    const { quantile, classify, budget } = settings;
    this.settings = settings;
    this.budget = budgetOf(budget, this.basics);
    this.timed = quantile !== undefined || classify !== undefined;
    this.#pace = new Pace(settings);
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    this.#total++;
    const counting = Attempt.counting(scope, this.budget, Boolean(this.settings.budget));
    return new Race(this, work, scope, next, counting, this.#pace.delayMs).run();
  }

  hedged(scope: Scope, attempt: number, delayMs: number): void {
    this.#hedges++;
    this.tell('hedged', { policy: this.name, key: scope.key, attempt, delayMs });
    if (scope.aborted) this.#hedges--; // a listener gave up for the caller: it is not made
  }

  exhausted({ key }: Scope, attempts: number): void {
    this.#exhausted++;
    this.tell('budget-exhausted', { policy: this.name, key, attempts });
  }

  finished({ key }: Scope, verdict: Verdict, attempt: number, attempts: number, firstMs: number | undefined): void {
    this.#ended[verdict]++;
    if (verdict !== 'success') return;
    if (attempt > 1) this.#won++;
    if (attempts > 1) this.tell('won', { policy: this.name, key, attempt, attempts });
    if (firstMs !== undefined) this.#pace.record(firstMs, this.now());
  }

  metrics(): HedgeMetrics {
    return {
      name: this.name,
      ...figuresOf(this.#total, this.#ended),
      hedges: this.#hedges,
      hedgesWon: this.#won,
      budgetExhausted: this.#exhausted,
      delayMs: this.#pace.delayMs,
    };
  }
}

/**
 * Makes another attempt at a call when the first one is slow, and takes whichever answer comes first: a call is slow only if all its
 * attempts are. The others are then called off: their `signal` is aborted with an error whose code is `ERR_HEDGE_LOST`. While another
 * attempt is under way, a failed one is no answer; when all fail, the call ends as the first attempt did.
 *
 * Only for calls that may be made twice. Hedges are extra load, so they are paid from a budget. After Dean and Barroso, "The Tail at
 * Scale" (2013).
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const reads = hedge({ quantile: 0.95, delayMs: 200 });
 * const page = await reads.execute(({ signal }) => fetchPage(url, { signal }));
 */
export function hedge(options: HedgeOptions): Hedge {
  return tellLife('created', new HedgeLayer(readOptions(options)));
}
