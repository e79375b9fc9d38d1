import { inNoContext } from './async-context.ts';
import { type Clock, endOfTurn, systemClock, systemTimers, type Timers } from './clock.ts';

/** Something with a deadline. It is its own link in a queue: arming and disarming allocate nothing. */
export abstract class Deadline {
  /** Where it stands. */
  queue: Deadlines | undefined = undefined;
  /** When it is due; not a number while it waits for its stamp. (A number costs an allocation, the stamp seldom comes.) */
  dueAt: number | undefined = undefined;
  before: Deadline | undefined = undefined;
  after: Deadline | undefined = undefined;
  /** Its own timer, where it has one. */
  native: unknown = undefined;

  abstract due(): void;
}

/** All deadlines of one duration on one clock. */
export interface Deadlines {
  readonly durationMs: number;
  /** False once fake timers came or went: what is armed here belongs to the other world and stays there. */
  readonly current: boolean;
  add(entry: Deadline): void;
  remove(entry: Deadline): void;
}

/** Sets a native timer; with `keepAlive` false it lets the process end. */
type Arm = (fire: () => void, ms: number) => unknown;

/**
 * On the system's own clock: deadlines of one duration are due in the order they came, so a linked list and a single native
 * timer serve any number of calls, and one that is called off costs a relink.
 *
 * A deadline is stamped at the end of the turn it came in, one clock reading for all of that turn: never early, late by what
 * was left of the turn. (Measured: a clock reading a call less, a third of a bare call.) The same visit clears the native timer of
 * an empty queue, so nothing at rest holds the process.
 */
class SharedTimer implements Deadlines {
  readonly durationMs: number;
  readonly #timers: Timers;
  readonly #arm: Arm;
  #head: Deadline | undefined;
  #tail: Deadline | undefined;
  #native: unknown;
  #visitPlanned = false;

  constructor(durationMs: number, timers: Timers, arm: Arm) {
    this.durationMs = durationMs;
    this.#timers = timers;
    this.#arm = arm;
  }

  get current(): boolean {
    return this.#timers.setTimeout === systemTimers().setTimeout;
  }

  add(entry: Deadline): void {
    const tail = this.#tail;
    entry.queue = this;
    entry.before = tail;
    entry.after = undefined;
    if (tail === undefined) this.#head = entry;
    else tail.after = entry;
    this.#tail = entry;
    if (this.#native === undefined) {
      entry.dueAt = systemClock.now() + this.durationMs;
      // With others before it the queue is firing right now, and arms itself afterwards.
      if (tail === undefined) this.#wait(this.durationMs);
    } else {
      entry.dueAt = undefined;
      this.#planVisit();
    }
  }

  remove(entry: Deadline): void {
    if (entry.queue !== this) return;
    const { before, after } = entry;
    entry.queue = entry.before = entry.after = undefined;
    if (before === undefined) this.#head = after;
    else before.after = after;
    if (after === undefined) this.#tail = before;
    else after.before = before;
    if (this.#head === undefined && this.#native !== undefined) this.#planVisit();
  }

  /** At most one a turn. */
  #planVisit(): void {
    if (this.#visitPlanned) return;
    this.#visitPlanned = true;
    this.#timers.endOfTurn?.(this.#visit);
  }

  readonly #visit = (): void => {
    this.#visitPlanned = false;
    if (this.#head !== undefined) this.#stamp();
    else if (this.#native !== undefined) {
      this.#timers.clearTimeout(this.#native);
      this.#native = undefined;
    }
  };

  /** The unstamped are the newest, so the walk is as long as the turn was busy. */
  #stamp(): void {
    let entry = this.#tail;
    if (entry === undefined || entry.dueAt !== undefined) return;
    const dueAt = systemClock.now() + this.durationMs;
    for (; entry !== undefined && entry.dueAt === undefined; entry = entry.before) entry.dueAt = dueAt;
  }

  readonly #fire = (): void => {
    this.#native = undefined;
    this.#stamp();
    const now = systemClock.now();
    try {
      for (let head = this.#head; head !== undefined && (head.dueAt as number) <= now; head = this.#head) {
        this.remove(head);
        head.due();
      }
    } finally {
      if (this.#head !== undefined && this.#native === undefined) this.#wait((this.#head.dueAt as number) - now);
    }
  };

  #wait(ms: number): void {
    inNoContext(() => {
      // Rounded up: native timers drop the fraction, and would then be early.
      this.#native = this.#arm(this.#fire, Math.max(1, Math.ceil(ms)));
    });
  }
}

/** On an injected clock, under fake timers and where a turn has no end: a timer for each, exact and easily understood. */
function ownTimers(durationMs: number, timers: Timers, arm: Arm, clock: Clock): Deadlines {
  const wait = (entry: Deadline, ms: number): void => {
    entry.native = arm(() => {
      // The system's timers may be a millisecond early. More than that is no such timer but one that is advanced by hand
      // while the clock is not: then the timer is right.
      const leftMs = clock === systemClock ? (entry.dueAt as number) - clock.now() : 0;
      if (leftMs > 0 && leftMs <= 2) wait(entry, Math.ceil(leftMs));
      else if (entry.queue === queue) {
        entry.queue = undefined;
        entry.due();
      }
    }, ms);
  };

  const queue: Deadlines = {
    durationMs,
    get current() {
      return clock !== systemClock || timers.setTimeout === systemTimers().setTimeout;
    },
    add(entry) {
      entry.queue = queue;
      entry.dueAt = clock.now() + durationMs;
      wait(entry, durationMs);
    },
    remove(entry) {
      if (entry.queue !== queue) return;
      entry.queue = undefined;
      timers.clearTimeout(entry.native);
    },
  };
  return queue;
}

const known = new WeakMap<object, Map<string, Deadlines>>();

/**
 * The deadlines of one duration on one clock, shared by all policies of the process. Hold on to them and ask again when they
 * are no longer `current`. With `keepAlive` false their timers let the process end.
 */
export function deadlines(clock: Clock, durationMs: number, keepAlive = true): Deadlines {
  const system = clock === systemClock;
  const timers = system ? systemTimers() : clock;
  const world = system ? (timers.setTimeout as object) : clock;
  let byDuration = known.get(world);
  if (byDuration === undefined) known.set(world, (byDuration = new Map()));
  const key = `${durationMs} ${keepAlive}`;
  let found = byDuration.get(key);
  if (found === undefined) {
    // Whoever holds one keeps it; what is forgotten is only that it could be shared.
    if (byDuration.size >= 1_000) byDuration.clear();
    const arm: Arm = (fire, ms) => {
      const native = timers.setTimeout(fire, ms) as { unref?(): void } | undefined;
      if (!keepAlive) native?.unref?.();
      return native;
    };
    found =
      system && endOfTurn() !== undefined
        ? new SharedTimer(durationMs, { ...timers, endOfTurn: endOfTurn() }, arm)
        : ownTimers(durationMs, timers, arm, clock);
    byDuration.set(key, found);
  }
  return found;
}
