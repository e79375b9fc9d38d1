import { also, callback, having, optionsOf, type Reader, type Readers, text } from './check.ts';
import type { ListenerErrorHandler } from './events/emitter.ts';
import { type Clock, systemClock, systemRandom } from './time/clock.ts';
import { SteadyClock } from './time/steady-clock.ts';

/** Options that every policy has. */
export interface PolicyOptions {
  /** Shown in errors, events and metrics; default: the policy's kind. */
  readonly name?: string | undefined;
  /**
   * Where time and timers come from; default: the system's monotonic clock. While it throws, time stands still and `onListenerError` is
   * told; if it is set back, time goes on from where it stood.
   */
  readonly clock?: Clock | undefined;
  /** Returns a number from 0 to 1, for all that is left to chance; default `Math.random`. */
  readonly random?: (() => number) | undefined;
  /** Gets what listeners and other functions of yours throw, or reject with; default: one `console.error` for each policy. */
  readonly onListenerError?: ListenerErrorHandler | undefined;
}

/** Those options, checked and complete. */
export interface Basics {
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onListenerError: ListenerErrorHandler | undefined;
}

type Camel<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Capitalize<Head>}${Camel<Tail>}`
  : Capitalize<S>;

/** Listeners as options, by event: `onTimedOut` for `timed-out`. */
export type ListenerOptions<Events> = {
  readonly [E in keyof Events & string as `on${Camel<E>}`]?: ((event: Events[E]) => void) | undefined;
};

/** Cached: making the names took longer than making the rest of a breaker. */
const options: Record<string, string> = {};

/** The option that listens to an event. */
export const optionOf = <E extends string>(event: E): `on${Camel<E>}` =>
  (options[event] ??= `on-${event}`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())) as `on${Camel<E>}`;

const clockLike: Reader<Clock> = having('a clock', {
  now: 'function',
  setTimeout: 'function',
  clearTimeout: 'function',
});

/** Read once, to see that it returns a number: else nothing would ever time out. */
export const clockOption: Reader<Clock> = also(clockLike, (clock, fault, isSound) => {
  if (!isSound) return;
  const now = clock.now();
  if (!Number.isFinite(now)) fault('now()', 'milliseconds', now);
});

/** The readers of what every policy has, and of a listener for each event. */
/*@__NO_SIDE_EFFECTS__*/
export const common = <E extends string>(
  events: readonly E[],
): Readers<PolicyOptions> & Record<`on${Camel<E>}`, Reader<never>> => ({
  name: text,
  clock: clockOption,
  random: callback,
  onListenerError: callback,
  ...(Object.fromEntries(events.map((event) => [optionOf(event), callback])) as Record<`on${Camel<E>}`, Reader<never>>),
});

/** Options of a policy as they were given, and checked. */
export type Given<Own> = Own & PolicyOptions & Record<string, unknown>;

/** Reads the options of a policy: what it needs, what else it knows, and what is common to all. */
/*@__NO_SIDE_EFFECTS__*/
export const policyOptions = <Needed extends object, Optional extends object = object>(
  events: readonly string[],
  needed: Readers<Needed>,
  optional?: Readers<Optional>,
): Reader<Given<Needed & Partial<Optional>>> =>
  optionsOf(needed, { ...optional, ...common(events) }) as unknown as Reader<Given<Needed & Partial<Optional>>>;

/** What is common to all, complete. A clock that is steady already is kept: it knows by how much it was set back. */
export const basicsOf = (
  kind: string,
  { name = kind, clock, random = systemRandom, onListenerError }: PolicyOptions,
): Basics => ({
  name,
  clock: !clock
    ? systemClock
    : clock instanceof SteadyClock
      ? clock
      : new SteadyClock(clock, { name, onListenerError }),
  random,
  onListenerError,
});
