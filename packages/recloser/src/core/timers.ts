import { inNoContext } from './async-context.ts';
import { afterThisTurn, type Clock, systemClock, systemTimers } from './clock.ts';

/** Something with a deadline. It is its own link in the queue: arming and disarming allocate nothing. */
export abstract class Deadline {
  /** The queue it stands in. */
  queue: DeadlineQueue | undefined = undefined;
  /** When it is due; never, while it waits for its stamp. */
  dueAt: number = Infinity;
  before: Deadline | undefined = undefined;
  after: Deadline | undefined = undefined;

  abstract due(): void;
}

/**
 * All deadlines of one duration on one clock. They are due in the order they came, so a linked list and a single native
 * timer serve any number of calls, and one that is called off costs a relink.
 *
 * On the system's clock a deadline is stamped at the end of the turn it came in, one clock reading for all of that turn:
 * never early, late by what was left of the turn. (Measured: a clock reading a call less, a third of a bare call.)
 * The same visit clears the native timer of an empty queue, so nothing at rest holds the process.
 */
export class DeadlineQueue {
  readonly durationMs: number;
  readonly #clock: Clock;
  readonly #keepAlive: boolean;
  readonly #timers: unknown;
  readonly #afterTurn: ((callback: () => void) => unknown) | undefined;
  #head: Deadline | undefined;
  #tail: Deadline | undefined;
  #native: unknown;
  #armedFor = 0;
  #visitPlanned = false;

  constructor(clock: Clock, durationMs: number, keepAlive: boolean) {
    this.durationMs = durationMs;
    this.#clock = clock;
    this.#keepAlive = keepAlive;
    this.#timers = systemTimers();
    this.#afterTurn = clock === systemClock ? afterThisTurn() : undefined;
  }

  /** False once fake timers came or went: what is armed here belongs to the other world and stays there. */
  get current(): boolean {
    return this.#clock !== systemClock || this.#timers === systemTimers();
  }

  add(entry: Deadline): void {
    const tail = this.#tail;
    entry.queue = this;
    entry.before = tail;
    entry.after = undefined;
    if (tail === undefined) this.#head = entry;
    else tail.after = entry;
    this.#tail = entry;
    if (this.#native === undefined || this.#afterTurn === undefined) {
      entry.dueAt = this.#clock.now() + this.durationMs;
      // Without a native timer the queue was empty, or it is firing right now and arms itself afterwards.
      if (tail === undefined && this.#native === undefined) this.#arm(entry.dueAt, this.durationMs);
    } else {
      entry.dueAt = Infinity;
      this.#planVisit();
    }
  }

  remove(entry: Deadline): void {
    if (entry.queue !== this) return;
    const { before, after } = entry;
    entry.queue = undefined;
    entry.before = entry.after = undefined;
    if (before === undefined) this.#head = after;
    else before.after = after;
    if (after === undefined) this.#tail = before;
    else after.before = before;
    if (this.#head === undefined && this.#native !== undefined) this.#planVisit();
  }

  /** At most one visit a turn; at once where the runtime has no end of the turn, or the clock is not the system's. */
  #planVisit(): void {
    if (this.#visitPlanned) return;
    this.#visitPlanned = true;
    if (this.#afterTurn === undefined) this.#visit();
    else this.#afterTurn.call(undefined, this.#visit);
  }

  readonly #visit = (): void => {
    this.#visitPlanned = false;
    if (this.#head === undefined) this.#disarm();
    else this.#stamp();
  };

  /** The unstamped are the newest, so the walk is as long as the turn was busy. */
  #stamp(): void {
    let entry = this.#tail;
    if (entry === undefined || entry.dueAt !== Infinity) return;
    const dueAt = this.#clock.now() + this.durationMs;
    for (; entry !== undefined && entry.dueAt === Infinity; entry = entry.before) entry.dueAt = dueAt;
  }

  readonly #fire = (): void => {
    this.#native = undefined;
    this.#stamp();
    let now = this.#clock.now();
    // Native timers may be a millisecond early. More than that is no native timer but one that is advanced by hand while
    // the clock is not: then the timer is right.
    if (now < this.#armedFor - 2) now = this.#armedFor;
    try {
      for (let head = this.#head; head !== undefined && head.dueAt <= now; head = this.#head) {
        this.remove(head);
        head.due();
      }
    } finally {
      const head = this.#head;
      if (head !== undefined && this.#native === undefined) this.#arm(head.dueAt, head.dueAt - now);
    }
  };

  #arm(at: number, ms: number): void {
    this.#armedFor = at;
    inNoContext(() => {
      // Rounded up: native timers drop the fraction, and would then be early.
      this.#native = this.#clock.setTimeout(this.#fire, this.#afterTurn === undefined ? ms : Math.ceil(ms));
    });
    if (!this.#keepAlive) (this.#native as { unref?(): void }).unref?.();
  }

  #disarm(): void {
    if (this.#native === undefined) return;
    this.#clock.clearTimeout(this.#native);
    this.#native = undefined;
  }
}

const queues = new WeakMap<object, Map<string, DeadlineQueue>>();

/**
 * The queue of one duration on one clock, shared by all policies of the process. Hold on to it and ask again when it is
 * no longer `current`. With `keepAlive` false its timer lets the process end.
 */
export function deadlineQueue(clock: Clock, durationMs: number, keepAlive = true): DeadlineQueue {
  const world = clock === systemClock ? (systemTimers() as object) : clock;
  let byDuration = queues.get(world);
  if (byDuration === undefined) queues.set(world, (byDuration = new Map()));
  const key = `${durationMs} ${keepAlive}`;
  let queue = byDuration.get(key);
  if (queue === undefined) {
    // Whoever holds a queue keeps it; what is forgotten is only that it could be shared.
    if (byDuration.size >= 1_000) byDuration.clear();
    byDuration.set(key, (queue = new DeadlineQueue(clock, durationMs, keepAlive)));
  }
  return queue;
}
