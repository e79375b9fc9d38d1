import { type PlacesEvents, placesEvents } from '../../core/bounded/events.ts';
import { BoundedLayer, type PlacesMetrics } from '../../core/bounded/layer.ts';
import { Call, type Rig } from '../../core/call/call.ts';
import type { Work } from '../../core/call/context.ts';
import { nobody, type Scope, type Stage } from '../../core/call/scope.ts';
import { seated } from '../../core/call/seat.ts';
import type { BulkheadFullError } from '../../core/errors.ts';
import { tellLife } from '../../core/events/channels.ts';
import type { Parts } from '../../core/layer.ts';
import type { Policy } from '../../core/policy.ts';
import { type BulkheadOptions, type BulkheadSettings, readOptions } from './options.ts';

/** A policy that limits how many calls are at work at once. */
export interface Bulkhead extends Policy<never, BulkheadFullError> {
  /** The figures of this moment. */
  metrics(): PlacesMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof PlacesEvents>(event: E, listener: (payload: PlacesEvents[E]) => void): () => void;
}

class BulkheadLayer extends BoundedLayer<PlacesEvents> implements Bulkhead {
  readonly #rig: Rig<undefined> = { hold: this };
  readonly #waits: boolean;

  constructor(settings: BulkheadSettings) {
    super('bulkhead', settings, settings.maxConcurrent, placesEvents);
    this.#waits = settings.maxQueue > 0;
  }

  /** With a queue there is more to it than a place. */
  override get parts(): Parts | undefined {
    return this.#waits ? undefined : (this.#rig as Parts);
  }

  protected occupy(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (next !== undefined || scope !== nobody) return new Call(this.#rig, scope, undefined, true).run(work, next);
    return seated(work, this);
  }
}

/**
 * Limits how many calls are at work at once, so that one slow dependency can't use up everything (Nygard, "Release It!"). Further calls
 * wait in a bounded queue, first come first served unless `priority` says otherwise, or are refused at once with `BulkheadFullError`.
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const ten = bulkhead({ maxConcurrent: 10, maxQueue: 20, queueTimeoutMs: 500 });
 */
export function bulkhead(options: BulkheadOptions): Bulkhead {
  return tellLife('created', new BulkheadLayer(readOptions(options)));
}
