import type { CircuitState } from '../breaker/events.ts';
import type { BreakerMetrics, CallFigures } from '../breaker/metrics.ts';

/**
 * The figures of a registry. Those of calls cover every breaker it ever kept, including those that are gone. A call refused by the parent
 * counts as ignored by its breaker, as with any policy inside, and as rejected in `parent`.
 */
export interface RegistryMetrics extends CallFigures {
  readonly name: string;
  /** How many breakers there are now, `_overflow` included. */
  readonly size: number;
  readonly maxEntries: number;
  /** How many breakers were evicted. */
  readonly evicted: number;
  /** How often `_overflow` stood in for a breaker there was no room for. */
  readonly overflowed: number;
  /** How many breakers are in which state. */
  readonly states: { readonly [S in CircuitState]?: number };
  /** Of the breakers that are not closed, the ten that have refused most calls. */
  readonly troubled: readonly BreakerMetrics[];
  readonly parent?: BreakerMetrics;
}
