import type { CallContext } from '../call/context.ts';
import { callback, duration, flag, number, oneOf, type Reader, type Readers } from '../check.ts';
import type { PolicyOptions } from '../policy-options.ts';

/** How urgent a call is: the highest goes first, equals in the order they came. Counts as 0 if it throws or answers no number. */
export type Priority = (caller: Pick<CallContext, 'key' | 'context'>) => number;

/** Options of the policies that limit how many calls are at work at once. */
export interface PlacesOptions extends PolicyOptions {
  /** How many calls may wait for a place, 0 … 1,000,000; default 0. */
  readonly maxQueue?: number | undefined;
  /** How long a call may wait for a place, from 1 ms; by default as long as its caller waits. */
  readonly queueTimeoutMs?: number | undefined;
  /** Which of the waiting calls goes first; by default the one that came first. */
  readonly priority?: Priority | undefined;
  /** When a call that was ended early, by a timeout or its caller, gives its place back: when its work ends (the default), or at once. */
  readonly release?: 'on-settle' | 'on-timeout' | undefined;
  /** With `on-settle`, how long such work may keep its place after the call has ended, from 1 ms; default 60,000. */
  readonly abandonAfterMs?: number | undefined;
  /** Whether refusals carry a stack trace; default false. */
  readonly captureStacks?: boolean | undefined;
}

/** The same, checked and complete. */
export interface PlacesSettings extends PolicyOptions {
  readonly maxQueue: number;
  /** 0: no limit. */
  readonly queueTimeoutMs: number;
  readonly priority?: Priority;
  readonly release: 'on-settle' | 'on-timeout';
  readonly abandonAfterMs: number;
  readonly captureStacks: boolean;
}

export const placesDefaults = {
  maxQueue: 0,
  queueTimeoutMs: 0,
  release: 'on-settle',
  abandonAfterMs: 60_000,
  captureStacks: false,
} as const;

/** The readers of these options and of a policy's own. (A function: bundlers shake off its call, a spread they keep.) */
/*@__NO_SIDE_EFFECTS__*/
export const withPlaces = <Own extends object>(
  own: Readers<Own>,
): Readers<Own & Omit<PlacesSettings, keyof PolicyOptions>> =>
  ({
    maxQueue: number(0, 1_000_000, true),
    queueTimeoutMs: duration,
    priority: callback as Reader<Priority>,
    release: oneOf('on-settle', 'on-timeout'),
    abandonAfterMs: duration,
    captureStacks: flag,
    ...own,
  }) as Readers<Own & Omit<PlacesSettings, keyof PolicyOptions>>;
