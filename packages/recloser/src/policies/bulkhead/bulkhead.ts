import { begin } from '../../core/call/begin.ts';
import { Call, type Hold, type Rig } from '../../core/call/call.ts';
import type { Work } from '../../core/call/context.ts';
import type { Scope } from '../../core/call/scope.ts';
import { Waiter, WaitingLine } from '../../core/call/waiting-line.ts';
import { BulkheadFullError, errorOf, type RejectionReason } from '../../core/errors.ts';
import { BasicLayer, type Parts } from '../../core/layer.ts';
import type { Policy } from '../../core/policy.ts';
import type { Clock } from '../../core/time/clock.ts';
import { deadlines } from '../../core/time/timers.ts';
import { type BulkheadEvents, eventNames } from './events.ts';
import { type BulkheadOptions, type BulkheadSettings, readOptions } from './options.ts';

/** The figures of one bulkhead's life. */
export interface BulkheadMetrics {
  readonly name: string;
  readonly totalRequests: number;
  readonly rejectedRequests: number;
  /** Places taken, by work whose call ended early too. */
  readonly inFlight: number;
  readonly queued: number;
  /** Places given back because the work outlived its call by `abandonAfterMs`. */
  readonly abandoned: number;
}

/** A policy that bounds how many calls are at work at a time. */
export interface Bulkhead extends Policy<never, BulkheadFullError> {
  /** The figures of this moment. */
  metrics(): BulkheadMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof BulkheadEvents>(event: E, listener: (payload: BulkheadEvents[E]) => void): () => void;
}

class BulkheadLayer extends BasicLayer<BulkheadEvents> implements Bulkhead, Hold {
  readonly #rig: Rig<undefined> = { hold: this };
  readonly #settings: BulkheadSettings;
  readonly #line: WaitingLine = new WaitingLine();
  #taken = 0;
  #total = 0;
  #rejected = 0;
  #abandoned = 0;

  constructor(settings: BulkheadSettings) {
    super('bulkhead', settings.basics, settings.given, eventNames);
    this.#settings = settings;
  }

  /** Where calls may wait there is more to it than a place. */
  override get parts(): Parts | undefined {
    return this.#settings.maxQueue > 0 ? undefined : { hold: this };
  }

  get releaseOnTimeout(): boolean {
    return this.#settings.releaseOnTimeout;
  }

  get abandonAfterMs(): number {
    return this.#settings.abandonAfterMs;
  }

  get clock(): Clock {
    return this.basics.clock;
  }

  run(work: Work<Scope>, scope: Scope, leaf: boolean): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    if (this.#take()) return this.#occupy(work, scope, leaf);
    if (this.#line.length >= this.#settings.maxQueue) return Promise.reject(this.#refuse(scope));
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(
        this.#line,
        scope,
        this.#priorityOf(scope),
        () => resolve(this.#occupy(work, scope, leaf)),
        (timedOut) => reject(timedOut ? this.#refuse(scope, 'queue-timeout') : scope.reason),
      );
      this.#line.add(waiter);
      const { queueTimeoutMs } = this.#settings;
      if (queueTimeoutMs > 0) deadlines(this.clock, queueTimeoutMs).add(waiter);
      scope.watch(waiter);
      this.emitter?.emit('queued', { policy: this.name, key: scope.key, queued: this.#line.length });
    });
  }

  enter(scope: Scope): BulkheadFullError | undefined {
    return this.#take() ? undefined : this.#refuse(scope);
  }

  /** While anybody waits there is no place: nobody barges in. */
  #take(): boolean {
    this.#total++;
    if (this.#taken >= this.#settings.maxConcurrent) return false;
    this.#taken++;
    return true;
  }

  /** A place that is left goes to whoever waits longest. */
  release(): void {
    const { first } = this.#line;
    if (first === undefined) this.#taken--;
    else first.proceed();
  }

  abandoned(): void {
    this.#abandoned++;
    this.emitter?.emit('abandoned', { policy: this.name });
  }

  #refuse(scope: Scope, reason: RejectionReason = 'bulkhead-full'): BulkheadFullError {
    const { maxConcurrent, maxQueue, queueTimeoutMs, captureStacks } = this.#settings;
    this.#rejected++;
    this.emitter?.emit('rejected', { policy: this.name, key: scope.key, reason });
    const full = `all ${maxConcurrent} places are taken${maxQueue > 0 ? ` and ${maxQueue} calls wait` : ''}`;
    const text = reason === 'queue-timeout' ? `no place within ${queueTimeoutMs} ms` : full;
    return errorOf(BulkheadFullError, text, { breaker: this.name, reason }, captureStacks);
  }

  #occupy(work: Work<Scope>, scope: Scope, leaf: boolean): Promise<unknown> {
    if (scope.abortable) return new Call(this.#rig, scope, undefined, true).run(work, leaf);
    return begin(work, scope, leaf).then(this.#fulfilled, this.#rejectedWith);
  }

  readonly #fulfilled = <T>(value: T): T => {
    this.release();
    return value;
  };

  readonly #rejectedWith = (error: unknown): never => {
    this.release();
    throw error;
  };

  #priorityOf(scope: Scope): number {
    try {
      return Number(this.#settings.priority?.(scope.shown())) || 0;
    } catch (fault) {
      this.report(fault, 'priority');
      return 0;
    }
  }

  metrics(): BulkheadMetrics {
    return {
      name: this.name,
      totalRequests: this.#total,
      rejectedRequests: this.#rejected,
      inFlight: this.#taken,
      queued: this.#line.length,
      abandoned: this.#abandoned,
    };
  }
}

/**
 * Bounds how many calls are at work at a time, so that one slow dependency can't take everything (Nygard, "Release It!"). The rest
 * wait in a bounded queue, first come first served, or are refused at once with `BulkheadFullError`.
 *
 * @throws RangeError, TypeError
 * @example
 * const ten = bulkhead({ maxConcurrent: 10, maxQueue: 20, queueTimeoutMs: 500 });
 */
export function bulkhead(options: BulkheadOptions): Bulkhead {
  return new BulkheadLayer(readOptions(options));
}
