import type { Clock } from 'recloser';
import { manualClock } from 'recloser/testing';

/** A clock that counts how often it is read. */
export function countingClock(): Clock & { reads: number } {
  const clock = {
    reads: 0,
    now(): number {
      clock.reads++;
      return 0;
    },
    setTimeout: () => 0,
    clearTimeout: () => {},
  };
  return clock;
}

/** A manual clock that can also jump: time passes and no timer runs, as after a suspended process wakes up. */
export function jumpingClock(startMs = 0) {
  const clock = manualClock(startMs);
  let ahead = 0;
  return {
    now: () => clock.now() + ahead,
    setTimeout: clock.setTimeout,
    clearTimeout: clock.clearTimeout,
    advance: clock.advance,
    jump(ms: number): void {
      ahead += ms;
    },
  };
}
