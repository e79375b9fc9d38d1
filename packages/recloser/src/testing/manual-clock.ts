import type { Clock } from '../core/time/clock.ts';

/** A clock that stands still until it is advanced. */
export interface ManualClock extends Clock {
  /**
   * Moves on by `ms`: runs the timers that fall due, in order and each at its own time, and lets promises settle after each. Of two
   * advances at once the longer counts. If a timer throws, it rejects with that error, and time stops there.
   *
   * @throws RangeError if `ms` is no finite number of at least 0: the promise rejects with it
   */
  advance(ms: number): Promise<void>;
  /** How many timers wait. */
  readonly pending: number;
}

interface Timer {
  readonly at: number;
  readonly callback: () => void;
}

const realImmediate = (globalThis as { setImmediate?: (callback: () => void) => unknown }).setImmediate;

/** A whole turn of the event loop where the runtime can wait for one, else enough microtasks for any sensible chain. */
async function settlePromises(): Promise<void> {
  if (realImmediate !== undefined) return new Promise((resolve) => void realImmediate(() => resolve()));
  for (let i = 0; i < 100; i++) await undefined;
}

/**
 * Makes a clock for tests: give it to policies as `clock`.
 *
 * @param startMs what `now()` says at first; default 0
 * @example
 * const clock = manualClock();
 * const breaker = circuitBreaker({ clock, sleepWindowMs: 30_000 });
 * await clock.advance(30_000);
 */
export function manualClock(startMs = 0): ManualClock {
  let time = startMs;
  let next = 1;
  const timers = new Map<number, Timer>();

  /** Those that come due first, all at one time, in the order they were set. */
  const nextDue = (until: number): [id: number, timer: Timer][] => {
    let first = until;
    for (const { at } of timers.values()) first = Math.min(first, at);
    return [...timers].filter(([, { at }]) => at === first);
  };

  return {
    now: () => time,
    setTimeout(callback, ms) {
      const id = next++;
      timers.set(id, { at: time + Math.max(0, ms || 0), callback });
      return id;
    },
    clearTimeout(handle) {
      timers.delete(handle as number);
    },
    async advance(ms) {
      if (!(Number.isFinite(ms) && ms >= 0)) {
        throw new RangeError(`advance: ms must be a finite number of at least 0, got ${ms}`);
      }
      const until = time + ms;
      await settlePromises();
      for (let due = nextDue(until); due.length > 0; due = nextDue(until)) {
        for (const [id, { at, callback }] of due) {
          if (!timers.delete(id)) continue; // called off by one before it
          time = Math.max(time, at);
          callback();
          await settlePromises();
        }
      }
      time = Math.max(time, until);
    },
    get pending() {
      return timers.size;
    },
  };
}
