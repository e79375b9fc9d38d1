import type { CircuitState } from '../breaker/events.ts';
import type { BreakerMetrics, CallFigures } from '../breaker/metrics.ts';

/**
 * The figures of a registry. Those of calls are of all that it ever kept, what is gone by now as well. A call that the parent
 * refuses is one of the ignored of its breaker, as with any policy inside, and one of the rejected of `parent`.
 */
export interface RegistryMetrics extends CallFigures {
  readonly name: string;
  readonly size: number;
  readonly maxEntries: number;
  readonly evicted: number;
  /** How often `_overflow` stood in for one there was no room for. */
  readonly overflowed: number;
  /** How many breakers are in which state. */
  readonly states: { readonly [S in CircuitState]?: number };
  /** Of those that are not closed the ten that refused most. */
  readonly troubled: readonly BreakerMetrics[];
  readonly parent?: BreakerMetrics;
}
