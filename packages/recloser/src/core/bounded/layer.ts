import type { Hold } from '../call/call.ts';
import type { Work } from '../call/context.ts';
import type { Scope, Stage } from '../call/scope.ts';
import { Waiter, WaitingLine } from '../call/waiting-line.ts';
import { BulkheadFullError, errorOf, type RejectionReason } from '../errors.ts';
import { BasicLayer } from '../layer.ts';
import type { Clock } from '../time/clock.ts';
import { deadlines } from '../time/timers.ts';
import type { PlacesEvents } from './events.ts';
import type { PlacesSettings } from './options.ts';

/** The figures of a policy that limits how many calls are at work, since it was made. */
export interface PlacesMetrics {
  readonly name: string;
  readonly totalRequests: number;
  readonly rejectedRequests: number;
  /** How many places there are now. */
  readonly limit: number;
  /** Places taken, also by work whose call has ended early. */
  readonly inFlight: number;
  readonly queued: number;
  /** Places given back because work went on for `abandonAfterMs` after its call had ended. */
  readonly abandoned: number;
}

/** The base of the policies that limit how many calls are at work at once: places, and a bounded line of calls that wait for one. */
export abstract class BoundedLayer<Events extends PlacesEvents> extends BasicLayer<Events> implements Hold {
  readonly #settings: PlacesSettings;
  readonly #line: WaitingLine = new WaitingLine();
  /** How many places there are. */
  protected places: number;
  protected taken = 0;
  #admitting = false;
  #total = 0;
  #rejected = 0;
  #abandoned = 0;

  constructor(kind: string, settings: PlacesSettings, places: number, eventNames: readonly (keyof Events & string)[]) {
    super(kind, settings, eventNames);
    this.#settings = settings;
    this.places = places;
  }

  /** Runs the work in the place that was taken for it, and gives the place back. */
  protected abstract occupy(work: Work, scope: Scope, next?: Stage): Promise<unknown>;

  get releaseOnTimeout(): boolean {
    return this.#settings.release === 'on-timeout';
  }

  get abandonAfterMs(): number {
    return this.#settings.abandonAfterMs;
  }

  get clock(): Clock {
    return this.basics.clock;
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    if (this.take()) return this.occupy(work, scope, next);
    const { maxQueue, queueTimeoutMs } = this.#settings;
    if (this.#line.length >= maxQueue) return Promise.reject(this.refuse(scope));
    const priority = this.asked(
      'priority',
      () => this.#settings.priority?.(scope.shown()),
      0,
      (said) => Number(said) || 0,
    );
    if (scope.aborted) return Promise.reject(scope.reason); // by `priority`
    const since = this.now();
    return new Promise((resolve, reject) => {
      const waiter = new Waiter(
        this.#line,
        scope,
        priority,
        () => {
          this.#tell('dequeued', { policy: this.name, key: scope.key, waitedMs: this.now() - since });
          resolve(this.occupy(work, scope, next));
        },
        (timedOut) => reject(timedOut ? this.refuse(scope, 'queue-timeout') : scope.reason),
      );
      this.#line.add(waiter);
      if (queueTimeoutMs > 0) deadlines(this.clock, queueTimeoutMs).add(waiter);
      scope.watch(waiter);
      this.#tell('queued', { policy: this.name, key: scope.key, queued: this.#line.length });
      this.admit(); // `priority` may have ended a call
    });
  }

  /** While calls wait there is no place for a new one: nobody jumps the queue. */
  take(): boolean {
    this.#total++;
    if (this.taken >= this.places || this.#line.length > 0) return false;
    this.taken++;
    return true;
  }

  release(): void {
    this.taken--;
    this.admit();
  }

  /** Admits waiting calls while there are places. A call that ends at once gives its place back within this loop. */
  protected admit(): void {
    if (this.#admitting) return;
    this.#admitting = true;
    for (let { first } = this.#line; first !== undefined && this.taken < this.places; { first } = this.#line) {
      this.taken++;
      if (!first.proceed()) this.taken--;
    }
    this.#admitting = false;
  }

  abandoned(): void {
    this.#abandoned++;
    this.#tell('abandoned', { policy: this.name });
  }

  refuse(scope: Scope, reason: RejectionReason = 'bulkhead-full'): BulkheadFullError {
    const { maxQueue, queueTimeoutMs, captureStacks } = this.#settings;
    this.#rejected++;
    this.#tell('rejected', { policy: this.name, key: scope.key, reason });
    const full = `all ${this.places} places are taken${maxQueue > 0 ? ` and ${maxQueue} calls wait` : ''}`;
    const text = reason === 'queue-timeout' ? `no place within ${queueTimeoutMs} ms` : full;
    return errorOf(BulkheadFullError, text, { breaker: this.name, reason }, captureStacks);
  }

  #tell<E extends keyof PlacesEvents>(event: E, payload: PlacesEvents[E]): void {
    this.tell(event, payload as Events[E]);
  }

  metrics(): PlacesMetrics {
    return {
      name: this.name,
      totalRequests: this.#total,
      rejectedRequests: this.#rejected,
      limit: this.places,
      inFlight: this.taken,
      queued: this.#line.length,
      abandoned: this.#abandoned,
    };
  }
}
