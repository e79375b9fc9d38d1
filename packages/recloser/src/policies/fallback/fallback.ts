import { begin } from '../../core/call/begin.ts';
import type { Work } from '../../core/call/context.ts';
import type { CallerScope, Scope, Stage } from '../../core/call/scope.ts';
import { tellLife } from '../../core/events/channels.ts';
import { type FallbackAnswer, type FallbackLike, lastGoodOf } from '../../core/fallback.ts';
import { BasicLayer, nobodyWaits } from '../../core/layer.ts';
import type { Policy } from '../../core/policy.ts';
import { eventNames, type FallbackEvents } from './events.ts';
import { type FallbackOptions, type FallbackSettings, readOptions } from './options.ts';

/** The figures of a fallback policy since it was made. */
export interface FallbackMetrics {
  readonly name: string;
  readonly totalRequests: number;
  /** Calls whose fallback ran. */
  readonly fallbackRequests: number;
  /** Those of them for which the fallback had no answer either. */
  readonly failedFallbacks: number;
}

/** A policy that answers in place of errors. `Answer`: what with. */
export interface FallbackPolicy<Answer = unknown> extends Policy<Answer> {
  /** The figures of this moment. */
  metrics(): FallbackMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof FallbackEvents>(event: E, listener: (payload: FallbackEvents[E]) => void): () => void;
}

class FallbackLayer extends BasicLayer<FallbackEvents> {
  readonly #settings: FallbackSettings;
  #total = 0;
  #fallbacks = 0;
  #failed = 0;

  constructor(settings: FallbackSettings) {
    super('fallback', settings, eventNames);
    this.#settings = settings;
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    return this.#guard(this.#settings.answer, work, scope, next);
  }

  override called(work: Work, scope: CallerScope, next?: Stage): Promise<unknown> {
    const { answer = this.#settings.answer } = scope;
    return this.#guard(answer, work, scope, next);
  }

  #guard(answer: unknown, work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    this.#total++;
    const remember = lastGoodOf(answer) && this.#rememberer(answer, scope.key);
    return begin(work, scope, next).then(remember, (error) => {
      if (nobodyWaits(scope) || !this.#answers(error, scope)) throw error;
      return this.#fallBack(answer, error, scope);
    });
  }

  #rememberer(answer: unknown, key: string | undefined) {
    return (value: unknown): unknown => {
      this.answers.remember(answer, key, value);
      return value;
    };
  }

  #answers(error: unknown, scope: Scope): boolean {
    const { when } = this.#settings;
    return when === undefined || this.asked('when', () => when(error, scope.shown()), true);
  }

  async #fallBack(answer: unknown, error: unknown, scope: Scope): Promise<unknown> {
    const about = { policy: this.name, key: scope.key, error };
    this.#fallbacks++;
    try {
      const value = await this.answers.instead(answer, error, scope);
      this.tell('fell-back', about);
      return value;
    } catch (failure) {
      if (!scope.aborted || failure !== scope.reason) {
        this.#failed++;
        this.tell('fallback-failed', { ...about, failure });
      }
      throw failure;
    }
  }

  metrics(): FallbackMetrics {
    return {
      name: this.name,
      totalRequests: this.#total,
      fallbackRequests: this.#fallbacks,
      failedFallbacks: this.#failed,
    };
  }
}

/**
 * Answers in place of errors and refusals, but never of the caller's own abort: with a value, with what a function returns, with the last
 * good value of the same key, or with the first of a list of these that has an answer. Put it outermost, so that the policies inside see
 * the error.
 *
 * @param answer a function gets the error and the context of the call; a call's own `fallback` takes its place
 * @throws TypeError with all faults of the options together
 * @example
 * const prices = fallback([() => mirror.execute(() => fetchPrices(mirrorUrl)), lastGood({ maxAgeMs: 60_000 }), 'no prices']);
 */
export function fallback<F extends FallbackLike>(
  answer: F,
  options: FallbackOptions = {},
): FallbackPolicy<FallbackAnswer<F>> {
  return tellLife('created', new FallbackLayer(readOptions(answer, options))) as unknown as FallbackPolicy<
    FallbackAnswer<F>
  >;
}
