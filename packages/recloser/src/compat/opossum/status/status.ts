import { EventEmitter } from 'node:events';
import { type Clock, systemClock } from '../../../core/time/clock.ts';
import { earlyMs } from '../own-timer.ts';
import { Repeated } from '../repeated.ts';
import { type Bucket, type Counter, emptyBucket, primed, type Stats, sum, totals } from './bucket.ts';

/** Options of `new Status` and `CircuitBreaker.newStatus`. */
export interface StatusOptions {
  /** Time slices of the window; 10 unless said. */
  rollingCountBuckets?: number | undefined;
  /** How far back the window reaches, in milliseconds; 10,000 unless said. */
  rollingCountTimeout?: number | undefined;
  /** Whether latencies are kept for mean and percentiles; true unless said. */
  rollingPercentilesEnabled?: boolean | undefined;
  /** Whether `snapshot` is emitted each time slice; true unless said. */
  enableSnapshots?: boolean | undefined;
  /** Its event `rotate` turns the window in place of the clock. */
  rotateBucketController?: EventEmitter | undefined;
  /** Figures to begin with. */
  stats?: Partial<Stats> | undefined;
  /** Where the time comes from: not of opossum, for tests. */
  clock?: Clock | undefined;
}

/** What was fired, but neither protected nor counted otherwise. */
const letBy = new WeakMap<Bucket, number>();

/**
 * What a breaker has counted over the last `rollingCountTimeout` milliseconds. The window turns by the clock when it is used, so
 * it owns no timer but for `snapshot`, and that only while somebody listens.
 */
export class Status extends EventEmitter {
  readonly rollingPercentilesEnabled: boolean;
  readonly enableSnapshots: boolean;
  readonly rotateBucketController: EventEmitter | undefined;
  /** Begins a new time slice and forgets the oldest. */
  readonly rotateBucket: () => void;
  readonly #clock: Clock;
  /** The newest first. */
  readonly #buckets: [Bucket, ...Bucket[]];
  readonly #bucketMs: number;
  #newestSince: number;
  readonly #snapshots: Repeated;
  #ended = false;

  constructor(options: StatusOptions = {}) {
    super();
    const size = options.rollingCountBuckets || 10;
    this.rollingPercentilesEnabled = options.rollingPercentilesEnabled !== false;
    this.enableSnapshots = options.enableSnapshots !== false;
    this.rotateBucketController = options.rotateBucketController || undefined;
    this.#clock = options.clock ?? systemClock;
    this.#newestSince = this.#clock.now();
    this.#bucketMs = Math.max(1, Math.floor((options.rollingCountTimeout || 10_000) / size));
    this.#buckets = [primed(options.stats ?? {}), ...Array.from({ length: size - 1 }, emptyBucket)];
    this.rotateBucket = () => {
      this.#buckets.pop();
      this.#buckets.unshift(emptyBucket());
    };
    this.#snapshots = new Repeated(this.#clock, this.#bucketMs, () => {
      if (this.listenerCount('snapshot')) this.emit('snapshot', this.stats);
      else this.#snapshots.stop();
    });
    this.startListeneningForRotateEvent();
  }

  /** The window at this moment. */
  #current(): [Bucket, ...Bucket[]] {
    if (!this.rotateBucketController && !this.#ended) {
      const now = this.#clock.now() + earlyMs(this.#clock);
      const passed = Math.floor((now - this.#newestSince) / this.#bucketMs);
      this.#newestSince += passed * this.#bucketMs;
      for (let i = Math.min(passed, this.#buckets.length); i > 0; i--) this.rotateBucket();
    }
    return this.#buckets;
  }

  /** The figures of the window together. */
  get stats(): Stats {
    return totals(this.#current(), this.rollingPercentilesEnabled);
  }

  /** The time slices, the newest first. */
  get window(): Bucket[] {
    return this.#current().slice();
  }

  /** One figure of the window, for less than `stats` costs. */
  sum(counter: Counter): number {
    return sum(this.#current(), counter);
  }

  /** Calls of the action that were fired in the window, at work or not: no rejected ones, nor those that a cache answered. */
  get calls(): number {
    return this.#current().reduce((calls, bucket) => {
      const others = bucket.rejects + bucket.cacheHits + bucket.coalesceCacheHits + bucket.semaphoreRejections;
      return calls + bucket.fires - others - (letBy.get(bucket) ?? 0);
    }, 0);
  }

  /** What was fired last is no call of these: the breaker was disabled, or its arguments had no key. */
  letBy(): void {
    const [bucket] = this.#current();
    letBy.set(bucket, (letBy.get(bucket) ?? 0) + 1);
  }

  /** @param latencyMs how long the call took that succeeded, failed or timed out */
  increment(counter: Counter, latencyMs?: number): void {
    const [bucket] = this.#current();
    bucket[counter]++;
    // A call that timed out has failed too: a breaker gives its latency once.
    const ended =
      counter === 'successes' || counter === 'failures' || (counter === 'timeouts' && latencyMs !== undefined);
    if (ended && this.rollingPercentilesEnabled) bucket.latencyTimes.push(latencyMs || 0);
  }

  open(): void {
    this.#current()[0].isCircuitBreakerOpen = true;
  }

  close(): void {
    this.#current()[0].isCircuitBreakerOpen = false;
  }

  /** Lets go of listeners and timer; the window stays as it is. */
  shutdown(): void {
    this.#current();
    this.#ended = true;
    this.removeAllListeners();
    this.removeRotateBucketControllerListener();
    this.#snapshots.stop();
  }

  removeRotateBucketControllerListener(): void {
    this.rotateBucketController?.removeListener('rotate', this.rotateBucket);
  }

  /** (Spelt as in opossum.) */
  startListeneningForRotateEvent(): void {
    const controller = this.rotateBucketController;
    if (controller && !controller.listeners('rotate').includes(this.rotateBucket)) {
      controller.on('rotate', this.rotateBucket);
    }
  }

  override on(event: 'snapshot', listener: (stats: Stats) => void): this {
    super.on(event, listener);
    this.#planSnapshot();
    return this;
  }

  override addListener(event: 'snapshot', listener: (stats: Stats) => void): this {
    return this.on(event, listener);
  }

  override prependListener(event: 'snapshot', listener: (stats: Stats) => void): this {
    super.prependListener(event, listener);
    this.#planSnapshot();
    return this;
  }

  /** At the end of the running time slice, as long as anybody listens. */
  #planSnapshot(): void {
    if (this.#snapshots.isPlanned || this.#ended || !this.enableSnapshots || !this.listenerCount('snapshot')) return;
    const intoSlice = (this.#clock.now() - this.#newestSince) % this.#bucketMs;
    this.#snapshots.startIn(this.#bucketMs - intoSlice);
  }
}
