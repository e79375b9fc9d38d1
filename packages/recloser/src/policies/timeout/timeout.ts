import { Call, type Rig } from '../../core/call/call.ts';
import type { CallContext, Work } from '../../core/call/context.ts';
import type { Scope, Stage } from '../../core/call/scope.ts';
import { TimeLimit } from '../../core/call/time-limit.ts';
import type { TimeoutError } from '../../core/errors.ts';
import { tellLife } from '../../core/events/channels.ts';
import { BasicLayer, type Parts } from '../../core/layer.ts';
import type { Policy } from '../../core/policy.ts';
import type { Clock } from '../../core/time/clock.ts';
import { eventNames, type TimeoutEvents } from './events.ts';
import { readOptions, type TimeoutOptions, type TimeoutSettings } from './options.ts';

/** The figures of a timeout since it was made. */
export interface TimeoutMetrics {
  readonly name: string;
  /** Calls that were timed: not those refused by a breaker or bulkhead right beside it in a pipeline. */
  readonly totalRequests: number;
  readonly timedOutRequests: number;
  /** Results that came after their call had timed out. */
  readonly lateResults: number;
}

/** A policy that ends calls that take too long. */
export interface Timeout extends Policy<never, TimeoutError> {
  /** The figures of this moment. */
  metrics(): TimeoutMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof TimeoutEvents>(event: E, listener: (payload: TimeoutEvents[E]) => void): () => void;
}

class CountedLimit extends TimeLimit {
  readonly #layer: TimeoutLayer;

  constructor(layer: TimeoutLayer, timeoutMs: number, clock: Clock) {
    super(layer.name, timeoutMs, clock);
    this.#layer = layer;
  }

  override get attended(): boolean {
    return this.#layer.attended;
  }

  override timedOut({ key }: CallContext): void {
    this.#layer.count(key, this.timeoutMs);
  }

  override late(ok: boolean): void {
    this.#layer.late(ok);
  }
}

class TimeoutLayer extends BasicLayer<TimeoutEvents> implements Timeout {
  private readonly rig: Rig<undefined> & { readonly limit: TimeLimit };
  #timedOut = 0;
  #late = 0;

  constructor(settings: TimeoutSettings) {
    super('timeout', settings, eventNames);
    this.rig = { limit: new CountedLimit(this, settings.timeoutMs, this.basics.clock) };
  }

  override get parts(): Parts {
    return this.rig as Parts;
  }

  get attended(): boolean {
    return this.heard('timed-out');
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    return new Call(this.rig, scope, undefined, false).run(work, next);
  }

  count(key: string | undefined, timeoutMs: number): void {
    this.#timedOut++;
    this.tell('timed-out', { policy: this.name, key, timeoutMs });
  }

  late(ok: boolean): void {
    this.#late++;
    this.tell('late', { policy: this.name, ok });
  }

  metrics(): TimeoutMetrics {
    return {
      name: this.name,
      totalRequests: this.rig.limit.begun,
      timedOutRequests: this.#timedOut,
      lateResults: this.#late,
    };
  }
}

/**
 * Ends a call that takes longer than `timeoutMs`: the call rejects with a `TimeoutError`, and its `signal` is aborted with that error as
 * the reason. Outside `retry` it limits all attempts together, inside it each one. Work that does not heed its signal goes on; put a
 * `bulkhead` inside to know how much of it there is.
 *
 * @param options the options, or just `timeoutMs`
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const quick = timeout(2_000);
 * const page = await quick.execute(({ signal }) => fetch(url, { signal }));
 */
export function timeout(options: TimeoutOptions | number): Timeout {
  return tellLife('created', new TimeoutLayer(readOptions(options)));
}
