/** How much calls may cost over time: one kind of limit, for one key. */
export interface Meter {
  /** The most that a single call may cost. */
  readonly most: number;
  /** What is left at `now`. Reading it changes nothing. */
  left(now: number): number;
  /** When so much will be left if nobody takes any before that; not after `now` if there is so much already. */
  dueAt(cost: number, now: number): number;
  /** Takes so much of what is left at that time. */
  take(cost: number, at: number): void;
  /** Another meter in the same state. */
  copy(): Meter;
}

/**
 * A bucket of `burst` permits that fills by `permits` every `windowMs`. (Turner 1986; as a meter: ITU-T I.371's GCRA.) It counts in
 * permits × milliseconds of the window, so that whole numbers stay whole.
 */
export class TokenBucket implements Meter {
  readonly most: number;
  readonly #permits: number;
  readonly #windowMs: number;
  #filled: number;
  #at: number;

  constructor(permits: number, windowMs: number, burst: number, now: number, filled: number = burst * windowMs) {
    this.#permits = permits;
    this.#windowMs = windowMs;
    this.most = burst;
    this.#filled = filled;
    this.#at = now;
  }

  left(now: number): number {
    return this.#filledAt(now) / this.#windowMs;
  }

  /** Possibly long ago: a call that has waited takes its permits as of then, so that a late timer costs those behind it nothing. */
  dueAt(cost: number): number {
    return this.#at + Math.max(0, cost * this.#windowMs - this.#filled) / this.#permits;
  }

  take(cost: number, at: number): void {
    this.#filled = this.#filledAt(at) - cost * this.#windowMs;
    this.#at = at;
  }

  copy(): TokenBucket {
    return new TokenBucket(this.#permits, this.#windowMs, this.most, this.#at, this.#filled);
  }

  #filledAt(now: number): number {
    return Math.min(this.most * this.#windowMs, this.#filled + (now - this.#at) * this.#permits);
  }
}

/** Up to so many entries in its log each call has its own; beyond that, calls within a hundredth of the window share one. */
const exact = 100;

/**
 * At most `permits` in any stretch of `windowMs`: a log of what was taken. Calls that share an entry count from the last of them, so that
 * the limit holds, and the log stays below twice as many entries.
 */
export class SlidingWindow implements Meter {
  readonly most: number;
  readonly #windowMs: number;
  /** time, cost, time, cost, …; before `#head` it is forgotten. */
  readonly #log: number[];
  #head = 0;
  #used: number;
  #newestSince: number;

  constructor(permits: number, windowMs: number, log: number[] = [], used = 0, newestSince = 0) {
    this.most = permits;
    this.#windowMs = windowMs;
    this.#log = log;
    this.#used = used;
    this.#newestSince = newestSince;
  }

  left(now: number): number {
    this.#forget(now);
    return this.most - this.#used;
  }

  /** Never before `now`: a call counts from when it begins, however late that is. */
  dueAt(cost: number, now: number): number {
    this.#forget(now);
    let short = this.#used + cost - this.most;
    let at = this.#head;
    for (; short > 1e-9; at += 2) short -= this.#log[at + 1] as number;
    return at > this.#head ? (this.#log[at - 2] as number) + this.#windowMs : now;
  }

  take(cost: number, at: number): void {
    this.#forget(at);
    const log = this.#log;
    this.#used += cost;
    if (log.length - this.#head < 2 * exact || at - this.#newestSince >= this.#windowMs / exact) {
      log.push(at, cost);
      this.#newestSince = at;
    } else {
      log[log.length - 2] = at;
      (log[log.length - 1] as number) += cost;
    }
  }

  copy(): SlidingWindow {
    return new SlidingWindow(this.most, this.#windowMs, this.#log.slice(this.#head), this.#used, this.#newestSince);
  }

  #forget(now: number): void {
    const log = this.#log;
    while (this.#head < log.length && (log[this.#head] as number) + this.#windowMs <= now + 1e-6) {
      this.#used -= log[this.#head + 1] as number;
      this.#head += 2;
    }
    if (this.#head === log.length) this.#used = 0; // and with it what fractions left behind
    if (2 * this.#head > log.length) {
      log.splice(0, this.#head);
      this.#head = 0;
    }
  }
}
