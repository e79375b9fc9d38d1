import { inContext, rememberContext } from '../../core/time/async-context.ts';
import { type Clock, longestTimerMs, nativeTimers, systemClock, unref } from '../../core/time/clock.ts';

/**
 * A timer for each call and for each sleep, as in opossum: of two of one length the one that was set first runs first, and what it
 * settles is heard before the other. Programs count on it: an action that takes as long as its `timeout`, a look at the breaker
 * after just that time. (The shared ones of `core` are never early, and so often a millisecond late.)
 *
 * @returns what calls it off
 */
export function ownTimer(clock: Clock, ms: number, run: () => void, keepAlive = true): () => void {
  const native = clock === systemClock && nativeTimers();
  const timers = native || clock;
  const handle = timers.setTimeout(native ? run : remembering(run), ms);
  if (!keepAlive) unref(handle);
  return () => timers.clearTimeout(handle); // Where it was set, though fake timers came in between.
}

/** A time as the runtime's timers take it: one of a millisecond at least, and none that is too long for them. */
export const timerMs = (ms: number): number => Math.min(Math.max(1, ms), longestTimerMs);

/**
 * How much sooner than the clock says a moment may count as reached: the runtime's timers are up to a millisecond early, and opossum,
 * whose moments are timers, has them behind it when another as long runs.
 */
export const earlyMs = (clock: Clock): number => (clock === systemClock && nativeTimers() ? 1 : 0);

/** Fake timers and an injected clock's forget the `AsyncLocalStorage` of whoever set them, the runtime's own do not. */
function remembering(run: () => void): () => void {
  const context = rememberContext();
  return () => inContext(context, run);
}
