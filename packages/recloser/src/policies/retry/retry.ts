import { budgetOf, type RetryBudget } from '../../core/budget.ts';
import { Attempt } from '../../core/call/attempt.ts';
import { begin } from '../../core/call/begin.ts';
import type { Work } from '../../core/call/context.ts';
import type { Scope, Stage } from '../../core/call/scope.ts';
import { tellLife } from '../../core/events/channels.ts';
import { BasicLayer } from '../../core/layer.ts';
import { assess, figuresOf, noVerdicts } from '../../core/outcome.ts';
import type { Policy } from '../../core/policy.ts';
import { wait } from '../../core/wait.ts';
import { planned, type Standing } from './decision.ts';
import { eventNames, type GaveUpCause, type RetryEvents } from './events.ts';
import { type RetryOptions, type RetrySettings, readOptions } from './options.ts';

/** The figures of a retry policy since it was made. */
export interface RetryMetrics {
  readonly name: string;
  /** Calls, not attempts: successful + failed + ignored + in flight. */
  readonly totalRequests: number;
  readonly successfulRequests: number;
  readonly failedRequests: number;
  /** Refused further in, given up by their callers, or ignored by `classify`. */
  readonly ignoredRequests: number;
  readonly inFlight: number;
  /** Attempts planned beyond the first of a call. */
  readonly retries: number;
  /** Successful calls that took more than one attempt. */
  readonly recoveredRequests: number;
  /** Failed calls not tried again because the budget was spent. */
  readonly budgetExhausted: number;
  /** How much of the budget is used, 0 … 1; `undefined` without a budget, or with one that does not say. */
  readonly budgetUtilization: number | undefined;
}

/** A policy that tries failed calls again. */
export interface Retry extends Policy {
  /** The figures of this moment. */
  metrics(): RetryMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof RetryEvents>(event: E, listener: (payload: RetryEvents[E]) => void): () => void;
}

class RetryLayer extends BasicLayer<RetryEvents> implements Retry {
  override readonly kind: string;
  readonly #settings: RetrySettings;
  readonly #budget: RetryBudget | undefined;
  /** Whether others may hold the budget as well. */
  readonly #shared: boolean;
  /** Whether anything needs to know how long attempts take. */
  readonly #timed: boolean;
  readonly #plain: boolean;
  readonly #ended = noVerdicts();
  #total = 0;
  #retries = 0;
  #recovered = 0;
  #exhausted = 0;

  constructor(settings: RetrySettings) {
    super('retry', settings, eventNames);
    const { budget, classify, maxElapsedMs } = settings;
    this.#settings = settings;
    this.#budget = budgetOf(budget, this.basics);
    this.kind = this.#budget ? 'retry' : 'retry-without-budget';
    this.#shared = Boolean(budget);
    this.#timed = classify !== undefined || maxElapsedMs !== Infinity;
    this.#plain = !this.#timed && !this.#shared;
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    this.#total++;
    if (!this.#plain) return this.#watch(work, scope, next);
    this.#budget?.called();
    return begin(work, scope, next).then(this.#succeeded, (error) =>
      this.#follow(work, scope, next, this.#budget, 0, false, error),
    );
  }

  /** A call of which more is asked. (Apart from the plain one, whose closure keeps less then: measured, 0.2 × bare.) */
  #watch(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    const shared = this.#shared;
    const { classify } = this.#settings;
    const counting = Attempt.counting(scope, this.#budget, shared);
    const startedAt = this.#timed ? this.now() : 0;
    const first =
      shared && counting ? new Attempt(scope, scope.attempt, counting).run(work, next) : begin(work, scope, next);
    return first.then(
      classify === undefined
        ? this.#succeeded
        : (value) => this.#follow(work, scope, next, counting, startedAt, true, value),
      (error) => this.#follow(work, scope, next, counting, startedAt, false, error),
    );
  }

  readonly #succeeded = <T>(value: T): T => {
    this.#ended.success++;
    if (this.heard('settled')) this.tell('settled', { policy: this.name, attempts: 1, verdict: 'success' });
    return value;
  };

  /** Goes on from the first attempt's end. */
  async #follow(
    work: Work,
    scope: Scope,
    next: Stage | undefined,
    counting: RetryBudget | undefined,
    startedAt: number,
    ok: boolean,
    result: unknown,
  ): Promise<unknown> {
    const { basics } = this;
    const { classify, maxElapsedMs } = this.#settings;
    let begunAt = startedAt;
    let previousMs: number | undefined;
    for (let attempts = 1; ; ) {
      const elapsedMs = this.#timed ? this.now() - begunAt : 0;
      const { verdict, retryAfterMs } = assess(classify, scope, ok, result, elapsedMs, basics);
      // Written out: with the judgement spread into it this one line takes 7 µs.
      const standing = { scope, attempts, startedAt, previousMs, ok, result, verdict, retryAfterMs };
      previousMs = this.#next(standing);
      if (previousMs !== undefined) {
        try {
          if (previousMs > 0) await wait(basics.clock, previousMs, scope);
          if (scope.aborted) throw scope.reason;
          if (this.#timed) begunAt = this.now();
          if (begunAt - startedAt <= maxElapsedMs) {
            result = await new Attempt(scope, ++attempts, this.#budget).run(work, next);
            ok = true;
            continue;
          }
        } catch (error) {
          result = error;
          ok = false;
          continue;
        }
        this.#next(standing, 'elapsed'); // the timer was late
      }
      counting?.ended(verdict);
      if (ok) return result;
      throw result;
    }
  }

  /** How long to wait before the next attempt; `undefined` if the call is over, as it is where there is a cause by now. */
  #next(standing: Standing, cause?: GaveUpCause): number | undefined {
    const { name: policy } = this;
    const { attempts, verdict, ok, result } = standing;
    const { key } = standing.scope;
    const error = ok ? undefined : result;
    const plan = cause ?? planned(this.#settings, this.basics, this.#budget, standing);
    if (typeof plan === 'number') {
      this.#retries++;
      this.tell('retry-scheduled', { policy, key, attempt: attempts + 1, delayMs: plan, error });
      return plan;
    }
    if (plan !== undefined) {
      if (plan === 'budget') {
        this.#exhausted++;
        this.tell('budget-exhausted', { policy, key, attempts });
      }
      this.tell('gave-up', { policy, key, attempts, cause: plan, error });
    }
    this.#ended[verdict]++;
    if (verdict === 'success' && attempts > 1) {
      this.#recovered++;
      this.tell('recovered', { policy, key, attempts });
    }
    this.tell('settled', { policy, attempts, verdict });
    return undefined;
  }

  metrics(): RetryMetrics {
    return {
      name: this.name,
      ...figuresOf(this.#total, this.#ended),
      retries: this.#retries,
      recoveredRequests: this.#recovered,
      budgetExhausted: this.#exhausted,
      budgetUtilization: this.#budget?.utilization,
    };
  }
}

/**
 * Tries failed calls again: up to `attempts` in all, after a jittered back-off, as long as its budget lasts. The call rejects with the
 * last attempt's own error; a spent budget is an event. A call is never tried again once its caller has given up, nor after an inner
 * policy refused it (but see `retryRefusals`): an open circuit does not become a faster loop.
 *
 * Put it outside the breaker, and a `timeout` inside it for each attempt. The function sees the number of its attempt as `attempt`.
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const reads = retry({ attempts: 3, backoff: decorrelatedJitter({ initialMs: 100, maxMs: 5_000 }) });
 * const page = await reads.execute(({ signal }) => fetchPage(url, { signal }));
 */
export function retry(options: RetryOptions = {}): Retry {
  return tellLife('created', new RetryLayer(readOptions(options)));
}
