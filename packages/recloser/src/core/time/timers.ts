import { inNoContext } from './async-context.ts';
import { type Clock, nativeTimers, systemClock, type Timers, unref } from './clock.ts';

/** Something with a deadline. It is its own link in a queue: arming and disarming allocate nothing. */
export abstract class Deadline {
  /** Where it stands. */
  queue: Deadlines | undefined = undefined;
  /** When it is due; not a number while it waits for its stamp. (A number costs an allocation, the stamp seldom comes.) */
  dueAt: number | undefined = undefined;
  before: Deadline | undefined = undefined;
  after: Deadline | undefined = undefined;

  abstract due(): void;
}

/**
 * Deadlines of one duration are due in the order they came, so a linked list and a single native timer serve any number of calls,
 * and one that is called off costs a relink.
 *
 * Where turns have an end, a deadline is stamped at the end of the turn it came in, one clock reading for all of that turn: never
 * early, late by what was left of the turn. (Measured: a clock reading a call less, a third of a bare call.) The same visit clears
 * the native timer of an empty queue, so nothing at rest holds the process. Elsewhere both happen at once.
 *
 * Private by type, not by `#`, as `Call` is and for its reason.
 */
export class Deadlines {
  readonly durationMs: number;
  private readonly clock: Clock;
  private readonly timers: Timers;
  private readonly keepAlive: boolean;
  /** The newest. The list is a ring, so the oldest comes after it: a write less a call than with two ends. (Measured: 0.1 × bare.) */
  private newest: Deadline | undefined = undefined;
  private native: unknown = undefined;
  /** What the native timer was set for. */
  private wakeAt = 0;
  private visitPlanned = false;

  constructor(clock: Clock, timers: Timers, durationMs: number, keepAlive: boolean) {
    this.clock = clock;
    this.timers = timers;
    this.durationMs = durationMs;
    this.keepAlive = keepAlive;
  }

  /** Whether it may be used again: not where each deadline has a timer of its own, nor once fake timers came or went. */
  get current(): boolean {
    return this.timers === nativeTimers();
  }

  private get oldest(): Deadline | undefined {
    return this.newest?.after;
  }

  add(entry: Deadline): void {
    const newest = this.newest;
    entry.queue = this;
    entry.dueAt = undefined;
    if (newest === undefined) entry.before = entry.after = entry;
    else {
      const oldest = newest.after as Deadline;
      entry.before = newest;
      entry.after = oldest;
      newest.after = oldest.before = entry;
    }
    this.newest = entry;
    if (this.native !== undefined) this.planVisit();
    // With others before it the queue is firing right now, and arms itself afterwards.
    else if (newest === undefined) this.arm();
  }

  remove(entry: Deadline): void {
    if (entry.queue !== this) return;
    const before = entry.before as Deadline;
    const after = entry.after as Deadline;
    entry.queue = entry.before = entry.after = undefined;
    if (after === entry) {
      this.newest = undefined;
      if (this.native !== undefined) this.planVisit();
    } else {
      before.after = after;
      after.before = before;
      if (this.newest === entry) this.newest = before;
    }
  }

  /** At most one a turn. (So short that it is always compiled into its place.) */
  private planVisit(): void {
    if (!this.visitPlanned) this.doPlanVisit();
  }

  private doPlanVisit(): void {
    this.visitPlanned = true;
    if (this.timers.endOfTurn === undefined) this.visit();
    else this.timers.endOfTurn(this.visit);
  }

  private readonly visit = (): void => {
    this.visitPlanned = false;
    if (this.newest !== undefined) this.stamp(this.clock.now());
    else if (this.native !== undefined) {
      this.timers.clearTimeout(this.native);
      this.native = undefined;
    }
  };

  /** The unstamped are the newest, so the walk is as long as the turn was busy. */
  private stamp(now: number): void {
    const dueAt = now + this.durationMs;
    for (let entry = this.newest; entry !== undefined && entry.dueAt === undefined; entry = entry.before) {
      entry.dueAt = dueAt;
    }
  }

  private arm(): void {
    const now = this.clock.now();
    this.stamp(now);
    this.wakeAt = this.oldest?.dueAt ?? now;
    // The sum and its difference are rounded: it is never more than the duration.
    const ms = Math.min(this.durationMs, this.wakeAt - now);
    inNoContext(() => {
      // Rounded up: native timers drop the fraction, and would then be early.
      this.native = this.timers.setTimeout(this.fire, this.clock === systemClock ? Math.ceil(ms) : ms);
    });
    if (!this.keepAlive) unref(this.native);
  }

  private readonly fire = (): void => {
    this.native = undefined;
    let now = this.clock.now();
    // The system's timers may be a millisecond early. More than that is no such timer but one that is advanced by hand while the
    // clock is not: then the timer is right, as an injected clock's always is.
    if (this.clock !== systemClock || this.wakeAt - now > 2) now = Math.max(now, this.wakeAt);
    this.stamp(now);
    try {
      for (let next = this.oldest; next !== undefined && (next.dueAt as number) <= now; next = this.oldest) {
        this.remove(next);
        next.due();
      }
    } finally {
      if (this.newest !== undefined && this.native === undefined) this.arm();
    }
  };
}

const shared = new Map<string, Deadlines>();

/**
 * The deadlines of one duration on one clock: of the system's shared by all policies of the process. Hold on to them as long as
 * they are `current`; on an injected clock, under fake timers and where turns have no end there are new ones, with a timer of their
 * own, each time. With `keepAlive` false their timers let the process end.
 */
export function deadlines(clock: Clock, durationMs: number, keepAlive = true): Deadlines {
  const native = clock === systemClock ? nativeTimers() : undefined;
  if (native === undefined) return new Deadlines(clock, clock, durationMs, keepAlive);
  const key = `${durationMs} ${keepAlive}`;
  let found = shared.get(key);
  if (found === undefined) {
    // Whoever holds one keeps it; what is forgotten is only that it could be shared.
    if (shared.size >= 1_000) shared.clear();
    found = new Deadlines(clock, native, durationMs, keepAlive);
    shared.set(key, found);
  }
  return found;
}
