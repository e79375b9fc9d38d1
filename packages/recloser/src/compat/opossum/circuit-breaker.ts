import { randomUUID } from 'node:crypto';
import { promised } from '../../core/call/context.ts';
import { type ListenerErrorHandler, report } from '../../core/events/emitter.ts';
import { Caching } from './cache/caching.ts';
import { MemoryCache } from './cache/memory-cache.ts';
import { Circuit } from './circuit.ts';
import { type BreakerError, type BreakerErrorCode, breakerError, isBreakerError } from './errors.ts';
import { BreakerEmitter, type BreakerEvents, type Count, countedEvents, type EventName } from './events.ts';
import { type Fallback, Guard } from './guard.ts';
import { type CacheTransport, type Options, type ResolvedOptions, readOptions, type State } from './options.ts';
import { earlyMs } from './own-timer.ts';
import { Repeated } from './repeated.ts';
import { Semaphore } from './semaphore.ts';
import type { Bucket, Stats, Window } from './status/bucket.ts';
import { Status, type StatusOptions } from './status/status.ts';

type Action<TI extends unknown[], TR> = (...args: TI) => TR | PromiseLike<TR>;

/**
 * Bivariant, so that a fallback may know more of the error than that it is one; and any where the arguments are not known. Code
 * that changes one import compiled so with `@types/opossum`.
 */
type FallbackOf<TI extends unknown[]> = {
  // biome-ignore lint/suspicious/noExplicitAny: as said.
  bivariant(...args: unknown[] extends TI ? any[] : [...TI, Error]): unknown;
}['bivariant'];

/**
 * A drop-in for the `CircuitBreaker` of opossum 10, on the machine, timers and errors of `recloser`. What differs is in the
 * guide `docs/migrating/from-opossum.md`.
 *
 * @throws TypeError without an action
 * @throws RangeError, TypeError with options that can't be meant
 * @example
 * const breaker = new CircuitBreaker(fetchAccount, { timeout: 3_000, errorThresholdPercentage: 50, resetTimeout: 30_000 });
 * const account = await breaker.fire('id');
 */
export class CircuitBreaker<TI extends unknown[] = unknown[], TR = unknown> extends BreakerEmitter<TI, TR> {
  static readonly Status: typeof Status = Status;
  static readonly Semaphore: typeof Semaphore = Semaphore;
  static readonly MemoryCache: typeof MemoryCache = MemoryCache;
  /** So that `require` and `import` give the same. */
  static readonly default: typeof CircuitBreaker = CircuitBreaker;

  /** Whether an error is the breaker's own: open, timed out, at capacity or shut down. */
  static isOurError(error: unknown): error is BreakerError {
    return isBreakerError(error);
  }

  /** Makes a `Status`, to begin with figures of another breaker. */
  static newStatus(options?: StatusOptions): Status {
    return new Status(options);
  }

  /** A copy of the options, with the defaults. */
  readonly options: ResolvedOptions<TI>;
  readonly semaphore: Semaphore;
  /** What the breaker calls. */
  readonly action: { bivariant(...args: TI): TR | PromiseLike<TR> }['bivariant'];
  readonly #name: string;
  readonly #group: string;
  readonly #status: Status;
  readonly #circuit: Circuit;
  readonly #guard: Guard;
  readonly #caching: Caching;
  readonly #report: ListenerErrorHandler;
  readonly #healthChecks: Repeated[] = [];
  #warmUpUntil: number;
  #isEnabled: boolean;
  #isShutdown = false;

  constructor(action: Action<TI, TR>, options?: Options<TI>);
  /** Anything else than a function is what every call answers with. */
  constructor(action: TR extends (...args: never[]) => unknown ? never : TR, options?: Options<TI>);
  constructor(action: unknown, given: Options<TI> = {}) {
    super();
    const options = readOptions(given as unknown as Options);
    if (!action) {
      throw new TypeError('No action provided. Cannot construct a CircuitBreaker without an invocable action.');
    }
    if (given.maxFailures) {
      console.error('options.maxFailures is deprecated. Please use options.errorThresholdPercentage');
    }
    const { clock, state, rollingCountTimeout } = options;
    this.options = options as unknown as ResolvedOptions<TI>;
    this.semaphore = Semaphore(options.capacity);
    this.action = (typeof action === 'function' ? action : () => Promise.resolve(action)) as typeof this.action;
    this.#name = options.name || (action as { name?: string }).name || randomUUID();
    this.#group = options.group || this.#name;
    this.#status =
      options.status instanceof Status ? options.status : new Status({ ...options, stats: statsOf(options) });
    const policy = { name: this.name, onListenerError: undefined };
    this.#report = (fault, where) => report(policy, fault, where);
    this.#warmUpUntil = options.allowWarmUp === true || state?.warmUp ? clock.now() + rollingCountTimeout : -Infinity;
    this.#isEnabled = (state ?? options).enabled !== false;
    this.#circuit = this.#newCircuit();
    const tell = this.#tell.bind(this);
    const { status, semaphore } = this;
    const count: Count = (counter, latencyMs) => {
      if (!this.#isShutdown) status.increment(counter, latencyMs);
    };
    this.#guard = new Guard({
      options,
      status,
      semaphore,
      circuit: this.#circuit,
      count,
      tell,
      report: this.#report,
      isWarmingUp: () => this.warmUp,
    });
    this.#caching = new Caching(options, count, tell, this.#report);
    if (state?.shutdown) this.shutdown();
    else if (state) this.#circuit.restore(state);
  }

  #newCircuit(): Circuit {
    return new Circuit({
      options: this.options,
      opened: () => {
        if (!this.#isShutdown) this.#status.open();
        this.#tell('open');
      },
      halfOpened: () => {
        this.#renewAbortController();
        this.#tell('halfOpen', this.options.resetTimeout);
      },
      closed: () => {
        this.#renewAbortController();
        this.#status.close();
        this.#tell('close');
      },
    });
  }

  /** A listener that throws is reported and changes nothing for the call. */
  #tell<E extends EventName>(event: E, ...args: BreakerEvents[E]): void {
    try {
      this.emit(event, ...(args as unknown[]));
    } catch (fault) {
      this.#report(fault, event);
    }
  }

  #renewAbortController(): void {
    const { options } = this;
    if (options.autoRenewAbortController && options.abortController?.signal?.aborted) {
      options.abortController = new AbortController();
    }
  }

  get name(): string {
    return this.#name;
  }

  /** For reporting. */
  get group(): string {
    return this.#group;
  }

  get status(): Status {
    return this.#status;
  }

  get volumeThreshold(): number {
    return this.options.volumeThreshold;
  }

  get isShutdown(): boolean {
    return this.#isShutdown;
  }

  get enabled(): boolean {
    return this.#isEnabled;
  }

  get closed(): boolean {
    return !this.#isShutdown && this.#circuit.isClosed;
  }

  /** A call that was at work when the breaker was shut down can still open it, if the figures of then want it. */
  get opened(): boolean {
    return this.#circuit.isOpen;
  }

  get halfOpen(): boolean {
    return !this.#isShutdown && this.#circuit.isHalfOpen;
  }

  /** Whether the circuit is half-open and the next call is its probe. */
  get pendingClose(): boolean {
    return !this.#isShutdown && this.#circuit.awaitsProbe;
  }

  /** Whether failures can't open the circuit yet (`allowWarmUp`). */
  get warmUp(): boolean {
    const { clock } = this.options;
    return clock.now() + earlyMs(clock) < this.#warmUpUntil;
  }

  get stats(): Stats {
    return this.#status.stats;
  }

  /** The breaker as JSON, for the options `state` and `status` of another. */
  toJSON(): { state: State; status: Stats } {
    return {
      state: {
        name: this.name,
        enabled: this.enabled,
        closed: this.closed,
        open: this.opened,
        halfOpen: this.halfOpen,
        warmUp: this.warmUp,
        shutdown: this.isShutdown,
        lastTimerAt: this.#circuit.openedAt,
      },
      status: this.stats,
    };
  }

  /**
   * Sets what failed and rejected calls answer with: a function, which gets the call's arguments and the error, or another
   * breaker.
   */
  // biome-ignore lint/suspicious/noExplicitAny: breakers of any action.
  fallback(fallback: FallbackOf<TI> | CircuitBreaker<any[], unknown>): this;
  /** Of the same arguments, where these are not known yet. */
  fallback(fallback: (...args: TI) => unknown): this;
  fallback(fallback: unknown): this {
    const breaker = fallback as { fire?(...args: unknown[]): unknown } | undefined;
    const isBreaker = typeof fallback !== 'function' && typeof breaker?.fire === 'function';
    this.#guard.fallback = isBreaker ? (...args) => breaker.fire?.(...args) : (fallback as Fallback);
    return this;
  }

  /**
   * Calls the action, if the circuit lets it. Rejects with the action's error, or the breaker's own: `EOPENBREAKER`,
   * `ETIMEDOUT`, `ESEMLOCKED`, `ESHUTDOWN`.
   */
  fire(...args: TI): Promise<TR> {
    return this.call(this.action, ...args);
  }

  /** Calls the action with `context` as its `this`. */
  call(context: unknown, ...args: TI): Promise<TR>;
  call(context: unknown, ...args: TI): Promise<unknown> {
    if (this.#isShutdown) return Promise.reject(breakerError('The circuit has been shutdown.', 'ESHUTDOWN'));
    this.#status.increment('fires');
    this.#tell('fire', args);
    const work = (): unknown => this.action.apply(context, args);
    if (!this.#isEnabled) {
      this.#status.letBy();
      return promised(work, undefined);
    }
    const { options } = this;
    if (!options.cache && !options.coalesce) return this.#guard.fire(work, args, undefined);
    try {
      const key = options.cacheGetKey.apply(this, args);
      return this.#caching.answer(key, (watcher) => this.#guard.fire(work, args, watcher));
    } catch (fault) {
      this.#status.letBy();
      return Promise.reject(fault); // of cacheGetKey: circular arguments, for one
    }
  }

  /** Opens the circuit, whatever its figures. */
  open(): void {
    if (!this.#isShutdown) this.#circuit.open();
  }

  /** Closes the circuit. */
  close(): void {
    if (!this.#isShutdown) this.#circuit.close();
  }

  /** Protects again, after `disable`. */
  enable(): void {
    this.#isEnabled = true;
    this.#status.startListeneningForRotateEvent();
  }

  /** Calls the action without any protection from now on. */
  disable(): void {
    this.#isEnabled = false;
    this.#status.removeRotateBucketControllerListener();
  }

  /** Rejects every call from now on, and lets go of listeners, timers and caches. */
  shutdown(): void {
    this.#tell('shutdown');
    this.disable();
    if (this.warmUp) this.#warmUpUntil = Infinity;
    this.removeAllListeners();
    for (const check of this.#healthChecks.splice(0)) check.stop();
    this.#isShutdown = true;
    this.#circuit.shut();
    this.#status.shutdown();
    this.clearCache();
  }

  /** Forgets cached results and calls to share. */
  clearCache(): void {
    if (this.options.cache) this.options.cacheTransport?.flush();
    this.options.coalesceCache?.flush();
  }

  /**
   * Opens the circuit whenever `check` fails. It is asked at once and every `interval` milliseconds, 5,000 unless said, with the
   * breaker as its `this`.
   *
   * @throws TypeError
   */
  healthCheck(check: (this: this) => unknown, interval?: number): void {
    if (typeof check !== 'function') throw new TypeError('Health check function must be a function');
    const intervalMs = Number(interval || 5_000);
    if (Number.isNaN(intervalMs)) throw new TypeError('Health check interval must be a number');
    if (this.#isShutdown) return;
    const failed = (error: unknown): void => {
      this.#tell('healthCheckFailed', error as Error);
      this.open();
    };
    const ask = (): void => void promised(() => check.call(this), undefined).catch(failed);
    const healthCheck = new Repeated(this.options.clock, intervalMs, ask);
    this.#healthChecks.push(healthCheck);
    healthCheck.due();
  }

  /** The signal that is aborted when a call times out, if there is an `abortController`. */
  getSignal(): AbortSignal | undefined {
    return this.options.abortController?.signal;
  }

  getAbortController(): AbortController | undefined {
    return this.options.abortController;
  }

  /** opossum counts by listeners of its own, and exporters of metrics go through this list: it stays as long. */
  override eventNames(): (string | symbol)[] {
    const heard = super.eventNames();
    return this.#isShutdown ? heard : [...new Set([...countedEvents, ...heard])];
  }
}

/** Of the status of another copy of this package, or of opossum, only the figures are taken. */
function statsOf({ status }: ResolvedOptions): Partial<Stats> | undefined {
  return ('stats' in Object(status) ? (status as Status).stats : status) as Partial<Stats> | undefined;
}

// Inside the namespace the names would mean themselves.
type StatusOf = Status;
type SemaphoreOf = Semaphore;
type MemoryCacheOf = MemoryCache;

/** The types by the names that `@types/opossum` gives them. */
export declare namespace CircuitBreaker {
  export type {
    BreakerError,
    BreakerErrorCode,
    BreakerEvents,
    Bucket,
    CacheTransport,
    Options,
    State,
    Stats,
    StatusOptions,
    Window,
  };
  export type Status = StatusOf;
  export type Semaphore = SemaphoreOf;
  export type MemoryCache = MemoryCacheOf;
}
