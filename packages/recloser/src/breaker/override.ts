import { duration, optionsOf, type Reader, read, text } from '../core/check.ts';

/** The states only a person or a program sets. */
export type ForcedState = 'forced-open' | 'forced-closed' | 'disabled' | 'observe-only';

export const forcedStates: readonly ForcedState[] = ['forced-open', 'forced-closed', 'disabled', 'observe-only'];

/** Who sets a state, why and for how long. */
export interface ForceOptions {
  readonly reason?: string | undefined;
  readonly by?: string | undefined;
  /** After so many milliseconds the computed state is uncovered: 1 … 2^31 − 1; default never. */
  readonly expiresInMs?: number | undefined;
}

/** A state that lies over the computed one until it is released or expires. */
export interface Override {
  readonly state: ForcedState;
  readonly reason: string | undefined;
  readonly by: string | undefined;
  /** Infinity: never. */
  readonly expiresAt: number;
}

/** Who takes a state off again or asks for a probe, and why. */
export type ReleaseOptions = Omit<ForceOptions, 'expiresInMs'>;

const forceOptions = optionsOf<object, ForceOptions>({}, { reason: text, by: text, expiresInMs: duration });
export const releaseOptions: Reader<ReleaseOptions> = optionsOf<object, ReleaseOptions>({}, { reason: text, by: text });

export const override = (state: ForcedState, given: ForceOptions, now: number): Override =>
  overridden(state, read(state, given, forceOptions), now);

/** Lays a state over the computed one. */
export const overridden = (
  state: ForcedState,
  { reason, by, expiresInMs = Infinity }: ForceOptions,
  now: number,
): Override => ({
  state,
  reason,
  by,
  expiresAt: now + expiresInMs,
});

/** The override that holds at `now`, if any. */
export const standing = (over: Override | undefined, now: number): Override | undefined =>
  over && now < over.expiresAt ? over : undefined;
