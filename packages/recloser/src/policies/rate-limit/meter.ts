/** How much calls may cost over time: one shape of a limit, for one key. */
export interface Meter {
  /** The most that a single call may cost. */
  readonly most: number;
  /** What is left at `now`. Reading it changes nothing. */
  left(now: number): number;
  /** In how many whole milliseconds so much is left if nobody takes any in between; 0: it is. */
  waitMs(cost: number, now: number): number;
  /** Takes what is there. */
  take(cost: number, now: number): void;
}

/** Clocks count in fractions: what is short by a nanosecond is there. */
const upMs = (ms: number): number => Math.max(0, Math.ceil(ms - 1e-6));

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

  constructor(permits: number, windowMs: number, burst: number, now: number) {
    this.#permits = permits;
    this.#windowMs = windowMs;
    this.most = burst;
    this.#filled = burst * windowMs;
    this.#at = now;
  }

  left(now: number): number {
    return this.#filledAt(now) / this.#windowMs;
  }

  waitMs(cost: number, now: number): number {
    return upMs((cost * this.#windowMs - this.#filledAt(now)) / this.#permits);
  }

  take(cost: number, now: number): void {
    this.#filled = this.#filledAt(now) - cost * this.#windowMs;
    this.#at = now;
  }

  #filledAt(now: number): number {
    return Math.min(this.most * this.#windowMs, this.#filled + (now - this.#at) * this.#permits);
  }
}

/** So many entries of its log are one call's each; beyond them, calls within a hundredth of the window share one. */
const exact = 100;

/**
 * At most `permits` in any `windowMs` that one may look at. A log of what was taken; calls that share an entry count from the last
 * of them, so the bound holds while the log stays below twice as many entries.
 */
export class SlidingWindow implements Meter {
  readonly most: number;
  readonly #windowMs: number;
  /** time, cost, time, cost, …; before `#head` it is forgotten. */
  readonly #log: number[] = [];
  #head = 0;
  #used = 0;
  #newestSince = 0;

  constructor(permits: number, windowMs: number) {
    this.most = permits;
    this.#windowMs = windowMs;
  }

  left(now: number): number {
    this.#forget(now);
    return this.most - this.#used;
  }

  waitMs(cost: number, now: number): number {
    this.#forget(now);
    // What waits takes what falls out: after a whole window the log is as it was.
    const rounds = Math.max(0, Math.ceil(cost / this.most) - 1);
    let short = this.#used + cost - (rounds + 1) * this.most;
    let at = this.#head;
    for (; short > 1e-9; at += 2) short -= this.#log[at + 1] as number;
    return upMs((at > this.#head ? (this.#log[at - 2] as number) + this.#windowMs - now : 0) + rounds * this.#windowMs);
  }

  take(cost: number, now: number): void {
    this.#forget(now);
    const log = this.#log;
    this.#used += cost;
    if (log.length - this.#head < 2 * exact || now - this.#newestSince >= this.#windowMs / exact) {
      log.push(now, cost);
      this.#newestSince = now;
    } else {
      log[log.length - 2] = now;
      (log[log.length - 1] as number) += cost;
    }
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
