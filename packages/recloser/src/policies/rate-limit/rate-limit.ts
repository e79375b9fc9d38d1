import { begin } from '../../core/call/begin.ts';
import type { Work } from '../../core/call/context.ts';
import type { Scope, Stage } from '../../core/call/scope.ts';
import { errorOf, type RejectionDetails, type RejectionReason } from '../../core/errors.ts';
import { tellLife } from '../../core/events/channels.ts';
import { BasicLayer } from '../../core/layer.ts';
import type { Policy } from '../../core/policy.ts';
import { deadlines } from '../../core/time/timers.ts';
import { RateLimitedError } from './errors.ts';
import { eventNames, type RateLimitEvents } from './events.ts';
import { Lane, PermitWaiter } from './lane.ts';
import { type Meter, SlidingWindow, TokenBucket } from './meter.ts';
import { type RateLimitOptions, type RateLimitSettings, readOptions } from './options.ts';

/** The figures of a rate limit since it was made. */
export interface RateLimitMetrics {
  readonly name: string;
  /** Admitted, rejected, queued, and aborted by their callers while they waited. */
  readonly totalRequests: number;
  /** Calls that got their permits, at once or after a wait. */
  readonly admittedRequests: number;
  readonly rejectedRequests: number;
  readonly queued: number;
  /** Permits left at this moment; with `keyed`, those of calls without a key. */
  readonly available: number;
  /** Keys remembered, with `keyed`. */
  readonly keys: number;
  /** Keys forgotten though part of their limit was used. */
  readonly evictedKeys: number;
}

/** A policy that limits how many calls begin in a given time. */
export interface RateLimit extends Policy<never, RateLimitedError> {
  /**
   * For work that is no promise: takes the permits if there are enough and no call waits for them, and says whether it did. It never waits.
   *
   * @throws RangeError if `cost` is no number from 0
   */
  tryAcquire(cost?: number, key?: string): boolean;
  /** The figures of this moment. */
  metrics(): RateLimitMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof RateLimitEvents>(event: E, listener: (payload: RateLimitEvents[E]) => void): () => void;
}

type Key = string | undefined;

/** @throws RangeError if it is no cost */
function checkedCost(cost: unknown): number {
  if (typeof cost === 'number' && cost >= 0) return cost;
  throw new RangeError(`a cost must be a number from 0, got ${String(cost)}`);
}

class RateLimitLayer extends BasicLayer<RateLimitEvents> implements RateLimit {
  readonly #settings: RateLimitSettings;
  /** The least recently used first. */
  readonly #lanes = new Map<Key, Lane>();
  #newest: Lane | undefined = undefined;
  #total = 0;
  #admitted = 0;
  #rejected = 0;
  #queued = 0;
  #evicted = 0;

  constructor(settings: RateLimitSettings) {
    super('rate-limit', settings, eventNames);
    this.#settings = settings;
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    const { key } = scope;
    const cost = this.#settings.cost === undefined ? 1 : this.#costOf(scope);
    if (scope.aborted) return Promise.reject(scope.reason); // by `cost`
    const now = this.now();
    const lane = this.#laneOf(key, now);
    if (this.#take(lane, cost, now)) return begin(work, scope, next);
    const { maxWaitMs, maxQueue } = this.#settings;
    const waitMs = lane.waitMs(cost, now);
    if (waitMs > maxWaitMs || this.#queued >= maxQueue) return Promise.reject(this.#refuse(key, cost, waitMs));
    return new Promise((resolve, reject) => {
      const waiter = new PermitWaiter(
        lane,
        cost,
        scope,
        () => {
          this.#queued--;
          this.#admitted++;
          resolve(begin(work, scope, next));
        },
        (timedOut) => {
          this.#queued--;
          reject(timedOut ? this.#refuse(key, cost, lane.waitMs(cost, this.now()), 'queue-timeout') : scope.reason);
        },
      );
      this.#queued++;
      lane.add(waiter);
      deadlines(this.basics.clock, maxWaitMs).add(waiter);
      scope.watch(waiter);
      this.tell('delayed', { policy: this.name, key, cost, waitMs, queued: lane.length });
    });
  }

  tryAcquire(cost = 1, key?: string): boolean {
    const now = this.now();
    const lane = this.#laneOf(key, now);
    const taken = this.#take(lane, checkedCost(cost), now);
    if (!taken) this.#count(key, cost, lane.waitMs(cost, now));
    return taken;
  }

  /** Takes the permits if there are enough and no call waits for them. */
  #take(lane: Lane, cost: number, now: number): boolean {
    this.#total++;
    if (lane.length > 0) lane.serve(); // its timer may be late
    if (lane.length > 0 || lane.waitMs(cost, now) > 0) return false;
    lane.meter.take(cost, now);
    this.#admitted++;
    return true;
  }

  #laneOf(given: Key, now: number): Lane {
    const key = this.#settings.keyed ? given : undefined;
    if (this.#newest?.key === key && this.#newest !== undefined) return this.#newest;
    const lanes = this.#lanes;
    const lane = lanes.get(key) ?? new Lane(key, this.#meter(now), this.basics.clock);
    lanes.delete(key);
    lanes.set(key, lane);
    this.#newest = lane;
    if (lanes.size > this.#settings.maxKeys) this.#evict(now);
    return lane;
  }

  #meter(now: number): Meter {
    const { algorithm, permits, windowMs, burst } = this.#settings;
    return algorithm === 'sliding-window'
      ? new SlidingWindow(permits, windowMs)
      : new TokenBucket(permits, windowMs, burst, now);
  }

  /** Forgets the least recently used key; calls that wait for it wait on. */
  #evict(now: number): void {
    const [[key, { meter }]] = this.#lanes as unknown as [[Key, Lane]];
    this.#lanes.delete(key);
    if (meter.left(now) >= meter.most) return;
    this.#evicted++;
    this.tell('key-evicted', { policy: this.name, key });
  }

  #costOf(scope: Scope): number {
    return this.asked('cost', () => this.#settings.cost?.(scope.shown()), 1, checkedCost);
  }

  #count(key: Key, cost: number, waitMs: number, reason: RejectionReason = 'rate-limited'): RejectionDetails {
    const retryAfterMs = waitMs < Infinity ? waitMs : undefined;
    this.#rejected++;
    if (this.heard('rejected')) this.tell('rejected', { policy: this.name, key, cost, reason, retryAfterMs });
    return { breaker: this.name, reason, retryAfterMs };
  }

  #refuse(key: Key, cost: number, waitMs: number, reason?: RejectionReason): RateLimitedError {
    const { permits, windowMs, captureStacks } = this.#settings;
    const details = this.#count(key, cost, waitMs, reason);
    const limit = `${permits} permits in ${windowMs} ms`;
    const why =
      waitMs < Infinity ? `${limit} are spent, ${cost} more in ${waitMs} ms` : `a call of ${cost} never fits ${limit}`;
    return errorOf(RateLimitedError, why, details, captureStacks);
  }

  metrics(): RateLimitMetrics {
    const now = this.now();
    return {
      name: this.name,
      totalRequests: this.#total,
      admittedRequests: this.#admitted,
      rejectedRequests: this.#rejected,
      queued: this.#queued,
      available: (this.#lanes.get(undefined)?.meter ?? this.#meter(now)).left(now),
      keys: this.#lanes.size,
      evictedKeys: this.#evicted,
    };
  }
}

/**
 * Limits how many calls begin in a given time: to keep within the quota of a dependency, or to give each of your own callers the same
 * share. Further calls are refused at once with `RateLimitedError` (HTTP 429), or wait in a bounded queue, first come first served. It
 * counts the calls of this process only.
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const quota = rateLimit({ permits: 100, windowMs: 1_000, maxWaitMs: 500 });
 */
export function rateLimit(options: RateLimitOptions): RateLimit {
  return tellLife('created', new RateLimitLayer(readOptions(options)));
}
