import type { CircuitBreaker } from '../breaker/breaker.ts';
import type { RejectedError, TimeoutError } from '../core/errors.ts';
import type { Policy } from '../core/policy.ts';
import type { RegistryEvents } from './events.ts';
import type { RegistryMetrics } from './metrics.ts';
import type { RegistryOptions } from './options.ts';
import type { RegistrySnapshot } from './snapshot.ts';

/** Breakers by name, made when they are first asked for, in bounded memory. It is a policy: a call's `key` names its breaker. */
export interface Registry
  extends Policy<never, RejectedError | TimeoutError>,
    Iterable<readonly [name: string, breaker: CircuitBreaker]> {
  /** How many breakers there are now, `_overflow` among them if it was needed. */
  readonly size: number;
  /** Whether `drain` or `dispose` was called: then every new call is refused. */
  readonly ending: 'no' | 'draining' | 'disposed';
  /** The breaker over all keys, if there is one. It guards calls of the registry, not those of a breaker that `get` answers with. */
  readonly parent: CircuitBreaker | undefined;
  /**
   * The breaker of this name; made if there is none, or `_overflow` if there is no room. It counts as used. Ask for it at each
   * call: one that is held may have been evicted meanwhile. Its own calls go past `parent`. @throws TypeError if the name is no string
   */
  get(name: string): CircuitBreaker;
  /** The breaker of this name, if there is one. None is made, and it does not count as used. */
  peek(name: string): CircuitBreaker | undefined;
  /** Takes a breaker out, whatever its state; false if there was none. Calls in flight end as they would, and count. */
  delete(name: string): boolean;
  /** The figures of this moment, in a time that grows with the breakers kept; reading them changes nothing. */
  metrics(): RegistryMetrics;
  /** One English sentence: how many there are, in which states, and what the breaker over all of them says. */
  explain(): string;
  /** Adds a listener; the answer takes it off again. What a breaker tells carries its name. */
  on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void;
  /**
   * Changes options under way: `defaults` are laid over the present ones, `overrides` replace them. Breakers keep state and
   * window where they still make sense; what was changed on one of them alone is undone. @throws RangeError, TypeError
   */
  update(changes: Pick<RegistryOptions, 'defaults' | 'overrides'>): void;
  /** All breakers as JSON, for the option `restore`. */
  toJSON(): RegistrySnapshot;
  /** Refuses new calls, waits for those in flight and for their fallbacks, then disposes. */
  drain(): Promise<void>;
  /** Disposes all breakers; no others are made. */
  dispose(): void;
}
