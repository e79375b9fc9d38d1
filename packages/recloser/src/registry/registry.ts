import type { CircuitBreaker } from '../breaker/breaker.ts';
import type { RejectedError, TimeoutError } from '../core/errors.ts';
import type { Policy } from '../core/policy.ts';
import type { RegistryEvents } from './events.ts';
import type { RegistryMetrics } from './metrics.ts';
import type { RegistryOptions } from './options.ts';
import type { RegistrySnapshot } from './snapshot.ts';

/** Breakers by name, made when first asked for, in bounded memory. It is a policy: the `key` of a call names its breaker. */
export interface Registry
  extends Policy<never, RejectedError | TimeoutError>,
    Iterable<readonly [name: string, breaker: CircuitBreaker]> {
  /** How many breakers there are now, including `_overflow` if it was needed. */
  readonly size: number;
  /** Whether `drain` or `dispose` was called. If so, every new call is refused. */
  readonly ending: 'no' | 'draining' | 'disposed';
  /** The breaker over all keys, if there is one. It guards calls of the registry, not calls of a breaker got by `get`. */
  readonly parent: CircuitBreaker | undefined;
  /**
   * The breaker of this name: a new one if there is none, or `_overflow` if there is no room. This counts as using it. Ask for it at each
   * call: one you hold may have been evicted meanwhile. Calls of the breaker itself go past `parent`.
   *
   * @throws TypeError if the name is no string
   */
  get(name: string): CircuitBreaker;
  /** The breaker of this name, if there is one. None is made, and this does not count as using it. */
  peek(name: string): CircuitBreaker | undefined;
  /** Takes a breaker out, whatever its state; false if there is none. Calls in flight go on, and are counted. */
  delete(name: string): boolean;
  /** The figures of this moment. Reading them changes nothing, and takes time in proportion to the breakers kept. */
  metrics(): RegistryMetrics;
  /** One English sentence: how many breakers there are, in which states, and what the breaker over all keys says. */
  explain(): string;
  /** Adds a listener; the answer takes it off again. What a breaker tells carries that breaker's name. */
  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void;
  /**
   * Changes options at run time: `defaults` are laid over the present ones, `overrides` replace the present ones. Breakers keep state and
   * window where they still make sense; what was changed on a single breaker is undone.
   *
   * @throws RangeError, TypeError with all faults of the options together
   */
  update(changes: Pick<RegistryOptions, 'defaults' | 'overrides'>): void;
  /** All breakers as JSON, for the option `restore`. */
  toJSON(): RegistrySnapshot;
  /** Refuses new calls, waits for those in flight and for their fallbacks, then disposes of all breakers. */
  drain(): Promise<void>;
  /** Disposes of all breakers, and makes no others. */
  dispose(): void;
}
