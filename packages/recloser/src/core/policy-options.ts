import type { Check } from './check.ts';
import { type ListenerErrorHandler, reporter } from './events.ts';
import { type Clock, systemClock, systemRandom } from './time/clock.ts';

/** Options that every policy has. */
export interface PolicyOptions {
  /** In errors, events and metrics; the policy's kind unless said. */
  readonly name?: string | undefined;
  /** Where time and timers come from; the monotonic clock of the system unless given. */
  readonly clock?: Clock | undefined;
  /** From 0 to 1, for whatever is left to chance; `Math.random` unless given. */
  readonly random?: (() => number) | undefined;
  /** Gets what listeners and other functions of yours throw; one `console.error` unless given. */
  readonly onListenerError?: ListenerErrorHandler | undefined;
}

/** Those options, checked and complete. */
export interface Basics {
  readonly name: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly report: ListenerErrorHandler;
}

type Camel<S extends string> = S extends `${infer Head}-${infer Tail}`
  ? `${Capitalize<Head>}${Camel<Tail>}`
  : Capitalize<S>;

/** Listeners as options, by event: `onTimedOut` for `timed-out`. */
export type ListenerOptions<Events> = {
  readonly [E in keyof Events & string as `on${Camel<E>}`]?: ((event: Events[E]) => void) | undefined;
};

/** The option that listens to an event. */
export const optionOf = (event: string): string =>
  `on-${event}`.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase());

const own = ['name', 'clock', 'random', 'onListenerError'];

/** Takes up the options of a policy: its own names, those every policy has, and a listener for each event. */
export function readBasics(
  check: Check,
  kind: string,
  options: unknown,
  names: readonly string[],
  events: readonly string[],
): { readonly given: Record<string, unknown>; readonly basics: Basics } {
  const listeners = events.map(optionOf);
  const given = check.record('', options, [...names, ...own, ...listeners]);
  for (const key of listeners) check.typed(key, given[key], 'function', undefined);
  const name = check.typed('name', given.name, 'string', kind);
  const clock = given.clock as (Clock & Record<string, unknown>) | null | undefined;
  for (const member of ['now', 'setTimeout', 'clearTimeout']) {
    if (clock !== undefined && typeof clock?.[member] !== 'function') {
      check.fault('clock', `an object with ${member}()`, clock);
    }
  }
  const basics = {
    name,
    clock: clock ?? systemClock,
    random: check.typed('random', given.random, 'function', systemRandom),
    report: reporter(name, check.typed('onListenerError', given.onListenerError, 'function', undefined)),
  };
  return { given, basics };
}
