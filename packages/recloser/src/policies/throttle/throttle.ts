import { begin } from '../../core/call/begin.ts';
import type { Work } from '../../core/call/context.ts';
import type { Scope, Stage } from '../../core/call/scope.ts';
import { errorOf } from '../../core/errors.ts';
import { tellLife } from '../../core/events/channels.ts';
import { BasicLayer } from '../../core/layer.ts';
import { assess, defaultVerdict, figuresOf, noVerdicts, type Verdict } from '../../core/outcome.ts';
import type { Policy } from '../../core/policy.ts';
import { percent } from '../../core/words.ts';
import { TimeWindow } from '../../windows/time-window.ts';
import { ThrottledError } from './errors.ts';
import { eventNames, type ThrottleEvents } from './events.ts';
import { type AdaptiveThrottleOptions, readOptions, type ThrottleSettings } from './options.ts';

/** The figures of a throttle since it was made, and of its window. */
export interface ThrottleMetrics {
  readonly name: string;
  /** Successful, failed, ignored, rejected, and in flight. */
  readonly totalRequests: number;
  readonly successfulRequests: number;
  readonly failedRequests: number;
  readonly ignoredRequests: number;
  readonly rejectedRequests: number;
  readonly inFlight: number;
  /** Calls in the window: those that succeeded, failed or were refused. */
  readonly windowRequests: number;
  /** Those of them that succeeded. */
  readonly windowAccepts: number;
  /** How likely the next call is to be refused, 0 … 1. */
  readonly rejectionProbability: number;
}

/** A policy that tries the fewer calls, the fewer are accepted. */
export interface AdaptiveThrottle extends Policy<never, ThrottledError> {
  /** The figures of this moment. */
  metrics(): ThrottleMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof ThrottleEvents>(event: E, listener: (payload: ThrottleEvents[E]) => void): () => void;
}

class ThrottleLayer extends BasicLayer<ThrottleEvents> implements AdaptiveThrottle {
  readonly #settings: ThrottleSettings;
  /** Its hits are the calls that were accepted. */
  readonly #window: TimeWindow;
  readonly #ended = noVerdicts();
  #total = 0;
  #rejected = 0;
  /** From then on a call is tried whatever the figures say. */
  #tryAt: number;

  constructor(settings: ThrottleSettings) {
    super('adaptive-throttle', settings, eventNames);
    this.#settings = settings;
    this.#window = new TimeWindow(settings.windowMs, 20, this.now());
    this.#tryAt = settings.minimumPerSecond > 0 ? -Infinity : Infinity;
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    this.#total++;
    const { classify } = this.#settings;
    const { calls, hits } = this.#window;
    // Without a look at the clock: at worst it is as old as the last call that ended.
    if (calls > this.#settings.multiplier * hits) {
      const refusal = this.#refusal(scope.key);
      if (refusal !== undefined) return Promise.reject(refusal);
    }
    const result = begin(work, scope, next);
    if (classify === undefined && !scope.abortable) return result.then(this.#accepted, this.#failed);
    const startedAt = classify ? this.now() : 0;
    return result.then(
      (value) => {
        this.#settle(scope, true, value, startedAt);
        return value;
      },
      (error) => {
        this.#settle(scope, false, error, startedAt);
        throw error;
      },
    );
  }

  readonly #accepted = <T>(value: T): T => {
    this.#count('success');
    return value;
  };

  readonly #failed = (error: unknown): never => {
    this.#count(defaultVerdict(false, error, false));
    throw error;
  };

  #settle(scope: Scope, ok: boolean, result: unknown, startedAt: number): void {
    const { classify } = this.#settings;
    const elapsedMs = classify ? this.now() - startedAt : 0;
    this.#count(assess(classify, scope, ok, result, elapsedMs, this.basics).verdict);
  }

  #count(verdict: Verdict): void {
    this.#ended[verdict]++;
    if (verdict !== 'ignored') this.#window.add(verdict === 'success', this.now());
  }

  /** The dice, and the calls that are tried all the same. */
  #refusal(key: string | undefined): ThrottledError | undefined {
    const now = this.now();
    const probability = this.#probability(now);
    if (now >= this.#tryAt || this.asked('random', this.basics.random, 1) >= probability) {
      this.#tryAt = now + 1_000 / this.#settings.minimumPerSecond;
      return undefined;
    }
    this.#window.add(false, now);
    this.#rejected++;
    if (this.heard('rejected')) this.tell('rejected', { policy: this.name, key, probability });
    const text = `too little is accepted, ${percent(probability)} of calls are not tried`;
    const details = { breaker: this.name, reason: 'throttled' } as const;
    return errorOf(ThrottledError, text, details, this.#settings.captureStacks);
  }

  #probability(now: number): number {
    const { calls, hits } = this.#window.count(now);
    return Math.max(0, (calls - this.#settings.multiplier * hits) / (calls + 1));
  }

  metrics(): ThrottleMetrics {
    const now = this.now();
    const { calls, hits } = this.#window.count(now);
    return {
      name: this.name,
      ...figuresOf(this.#total, this.#ended, this.#rejected),
      rejectedRequests: this.#rejected,
      windowRequests: calls,
      windowAccepts: hits,
      rejectionProbability: this.#probability(now),
    };
  }
}

/**
 * Tries the fewer calls, the fewer the dependency accepts: `multiplier` for each accepted one. It refuses the rest at random with
 * `ThrottledError` before they cost anything. There is no state to recover from: as calls are accepted again, more are tried. (Client-side
 * throttling, from "Handling Overload" in Google's "Site Reliability Engineering".)
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const search = adaptiveThrottle({ windowMs: 30_000 });
 */
export function adaptiveThrottle(options: AdaptiveThrottleOptions = {}): AdaptiveThrottle {
  return tellLife('created', new ThrottleLayer(readOptions(options)));
}
