import { begin } from '../../core/call/begin.ts';
import type { Work } from '../../core/call/context.ts';
import { Flights, type KeyOf } from '../../core/call/flights.ts';
import type { Scope, Stage } from '../../core/call/scope.ts';
import { tellLife } from '../../core/events/channels.ts';
import { BasicLayer } from '../../core/layer.ts';
import type { Policy } from '../../core/policy.ts';
import { type CoalesceEvents, eventNames } from './events.ts';
import { type CoalesceOptions, type CoalesceSettings, readOptions } from './options.ts';

/** The figures of a coalescing policy since it was made. */
export interface CoalesceMetrics {
  readonly name: string;
  /** Those that began the work of their key, those that joined, and those without a key. */
  readonly totalRequests: number;
  /** Calls that waited for work begun by another. */
  readonly joinedRequests: number;
  /** Calls without a key, which shared nothing. */
  readonly unkeyedRequests: number;
  /** How often work was called off because every call that waited for it was aborted. */
  readonly calledOff: number;
  /** Keys with work under way. */
  readonly inFlight: number;
}

/** A policy that lets calls of one key share one piece of work. */
export interface Coalesce extends Policy {
  /** The figures of this moment. */
  metrics(): CoalesceMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof CoalesceEvents>(event: E, listener: (payload: CoalesceEvents[E]) => void): () => void;
}

class CoalesceLayer extends BasicLayer<CoalesceEvents> implements Coalesce {
  readonly #keyOf: KeyOf | undefined;
  readonly #flights: Flights;
  #total = 0;
  #joined = 0;
  #unkeyed = 0;
  #calledOff = 0;

  constructor(settings: CoalesceSettings) {
    super('coalesce', settings, eventNames);
    this.#keyOf = settings.keyOf;
    this.#flights = new Flights(this.name, this.basics.clock, settings.joinForMs, (key) => {
      this.#calledOff++;
      this.tell('called-off', { policy: this.name, key });
    });
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    const keyOf = this.#keyOf;
    const key = keyOf ? this.asked('keyOf', () => keyOf(scope.shown()), undefined) : scope.key;
    if (scope.aborted) return Promise.reject(scope.reason); // maybe only by `keyOf`
    this.#total++;
    if (key === undefined) {
      this.#unkeyed++;
      return begin(work, scope, next);
    }
    const flight = this.#flights.at(key);
    if (flight === undefined) return this.#flights.start(key, work, scope, next);
    this.#joined++;
    const answer = flight.join(scope);
    if (this.heard('joined')) this.tell('joined', { policy: this.name, key, waiting: flight.passengers });
    return answer;
  }

  metrics(): CoalesceMetrics {
    return {
      name: this.name,
      totalRequests: this.#total,
      joinedRequests: this.#joined,
      unkeyedRequests: this.#unkeyed,
      calledOff: this.#calledOff,
      inFlight: this.#flights.size,
    };
  }
}

/**
 * Calls that come while the first one of their key is at work wait for its result instead of asking again ("single flight", after Go's
 * `golang.org/x/sync/singleflight`). An error is shared too; neither is kept once the work has ended. An abort releases only the caller
 * who aborts; when the last one leaves, the work is called off.
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const once = coalesce();
 * const user = await once.execute(({ signal }) => loadUser(id, { signal }), { key: id });
 */
export function coalesce(options: CoalesceOptions = {}): Coalesce {
  return tellLife('created', new CoalesceLayer(readOptions(options)));
}
