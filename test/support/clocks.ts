import type { Clock } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';

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

/** A manual clock that throws while it is broken; advancing it works. */
export function breakableClock(): ManualClock & { broken: boolean; readonly fault: Error } {
  const clock = manualClock();
  const fault = new Error('of the clock');
  return {
    broken: false,
    fault,
    advance: clock.advance,
    get pending() {
      return clock.pending;
    },
    now() {
      if (this.broken) throw fault;
      return clock.now();
    },
    setTimeout(callback, ms) {
      if (this.broken) throw fault;
      return clock.setTimeout(callback, ms);
    },
    clearTimeout(handle) {
      if (this.broken) throw fault;
      clock.clearTimeout(handle);
    },
  };
}
