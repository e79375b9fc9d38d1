import { Check } from '../core/check.ts';
import { longestTimerMs } from '../core/time/clock.ts';

/** The states only a person or a program sets. */
export type ForcedState = 'forced-open' | 'forced-closed' | 'disabled' | 'observe-only';

export const forcedStates: readonly ForcedState[] = ['forced-open', 'forced-closed', 'disabled', 'observe-only'];

/** Who sets a state, why and for how long. */
export interface ForceOptions {
  readonly reason?: string;
  readonly by?: string;
  /** After so many milliseconds the computed state is uncovered: 1 … 2^31 − 1; never unless said. */
  readonly expiresInMs?: number;
}

/** A state that lies over the computed one until it is released or expires. */
export interface Override {
  readonly state: ForcedState;
  readonly reason: string | undefined;
  readonly by: string | undefined;
  /** Infinity: never. */
  readonly expiresAt: number;
}

export function override(state: ForcedState, options: ForceOptions | undefined, now: number): Override {
  const check = new Check(state);
  const given = check.record('', options, ['reason', 'by', 'expiresInMs']);
  const result = {
    state,
    reason: check.typed<string | undefined>('reason', given.reason, 'string', undefined),
    by: check.typed<string | undefined>('by', given.by, 'string', undefined),
    expiresAt:
      given.expiresInMs === undefined
        ? Infinity
        : now + check.number('expiresInMs', given.expiresInMs, [1, longestTimerMs]),
  };
  check.done();
  return result;
}

/** The override that holds at `now`, if any. */
export const standing = (over: Override | undefined, now: () => number): Override | undefined =>
  over === undefined || over.expiresAt === Infinity || now() < over.expiresAt ? over : undefined;
