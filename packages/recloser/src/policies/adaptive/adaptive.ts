import { BoundedLayer, type PlacesMetrics } from '../../core/bounded/layer.ts';
import { Call, type Rig } from '../../core/call/call.ts';
import type { Work } from '../../core/call/context.ts';
import { nobody, type Scope, type Stage } from '../../core/call/scope.ts';
import { seated } from '../../core/call/seat.ts';
import type { BulkheadFullError } from '../../core/errors.ts';
import { tellLife } from '../../core/events/channels.ts';
import { assess } from '../../core/outcome.ts';
import type { Policy } from '../../core/policy.ts';
import { aimd } from './aimd.ts';
import { type AdaptiveEvents, eventNames } from './events.ts';
import { gradient } from './gradient.ts';
import { type AdaptiveConcurrencyOptions, type AdaptiveSettings, readOptions } from './options.ts';
import { type LimitRule, Tally } from './round.ts';

/** The figures of one adaptive limit's life. */
export interface AdaptiveConcurrencyMetrics extends PlacesMetrics {
  /** How many calls may be at work now. */
  readonly limit: number;
  /** How many rounds have ended; the limit is decided anew after each. */
  readonly rounds: number;
}

/** A policy that finds out how many calls may be at work at once. */
export interface AdaptiveConcurrency extends Policy<never, BulkheadFullError> {
  /** The figures of this moment. */
  metrics(): AdaptiveConcurrencyMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof AdaptiveEvents>(event: E, listener: (payload: AdaptiveEvents[E]) => void): () => void;
}

class AdaptiveLayer extends BoundedLayer<AdaptiveEvents> implements AdaptiveConcurrency {
  readonly #settings: AdaptiveSettings;
  readonly #rule: LimitRule;
  readonly #rig: Rig<Tally>;
  #tally = new Tally();
  #rounds = 0;

  constructor(settings: AdaptiveSettings) {
    super('adaptive-concurrency', settings, settings.initialLimit, eventNames);
    const { algorithm } = settings;
    this.#settings = settings;
    this.#rule = typeof algorithm === 'function' ? algorithm : (algorithm === 'aimd' ? aimd : gradient)(settings);
    this.#rig = {
      hold: this,
      judge: {
        conclude: ({ scope, ticket, startedAt }, ok, result) => {
          this.#count(ticket, startedAt as number, scope, ok, result);
          return undefined;
        },
        late() {},
        abandoned() {},
      },
    };
  }

  protected occupy(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    const tally = this.#tally;
    const startedAt = this.now();
    tally.admitted++;
    tally.atWork += this.taken;
    if (this.taken >= this.places) tally.reached = true;
    if (next !== undefined || scope !== nobody)
      return new Call(this.#rig, scope, tally, true, startedAt).run(work, next);
    return seated(work, this, (ok, result) => this.#count(tally, startedAt, scope, ok, result));
  }

  /** Calls admitted in an earlier round say nothing about this limit. */
  #count(tally: Tally, startedAt: number, scope: Scope, ok: boolean, result: unknown): void {
    if (tally !== this.#tally) return;
    const { classify, roundCalls, failureThreshold } = this.#settings;
    const elapsedMs = this.now() - startedAt;
    const isPlain = ok && classify === undefined;
    const verdict = isPlain ? 'success' : assess(classify, scope, ok, result, elapsedMs, this.basics).verdict;
    if (verdict === 'success') {
      tally.succeeded++;
      tally.latencyMs += elapsedMs;
    } else if (verdict === 'failure') tally.failed++;
    const calls = Math.max(roundCalls, 2 * this.places);
    if (tally.succeeded + tally.failed >= calls || tally.failed > failureThreshold * calls) this.#endRound();
  }

  #endRound(): void {
    const previous = this.places;
    const round = this.#tally.round(previous);
    this.#tally = new Tally();
    this.#rounds++;
    const limit = this.asked(
      'algorithm',
      () => this.#rule(round),
      previous,
      (answer) => this.#bounded(answer),
    );
    if (limit === previous) return;
    this.places = limit;
    const { latencyMs, concurrency, failureRate } = round;
    this.tell('limit-changed', { policy: this.name, limit, previous, latencyMs, concurrency, failureRate });
    this.admit();
  }

  /** @throws TypeError if it is no number */
  #bounded(limit: number): number {
    if (typeof limit !== 'number' || Number.isNaN(limit)) throw new TypeError('the algorithm answered no number');
    const { minLimit, maxLimit } = this.#settings;
    return Math.floor(Math.min(maxLimit, Math.max(minLimit, limit)));
  }

  override metrics(): AdaptiveConcurrencyMetrics {
    return { ...super.metrics(), limit: this.places, rounds: this.#rounds };
  }
}

/**
 * Finds out how many calls a dependency can handle at once, and admits no more. Under overload, further calls wait here or are refused at
 * once with `BulkheadFullError`, and the dependency keeps its throughput and its latency. There is no number to choose, and none that is
 * wrong tomorrow. (Netflix concurrency-limits, Uber's Cinnamon, failsafe-go, Envoy.)
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const orders = adaptiveConcurrency({ maxLimit: 500, maxQueue: 50, queueTimeoutMs: 200 });
 */
export function adaptiveConcurrency(options: AdaptiveConcurrencyOptions = {}): AdaptiveConcurrency {
  return tellLife('created', new AdaptiveLayer(readOptions(options)));
}
