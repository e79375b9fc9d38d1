import type { Clock } from 'recloser';

/** A clock for the model: like `manualClock`, but each instant is run by itself and without waiting. */
export class StepClock implements Clock {
  readonly #timers = new Map<number, { readonly at: number; readonly callback: () => void }>();
  #now: number;
  #next = 1;

  constructor(startMs: number) {
    this.#now = startMs;
  }

  get pending(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#now;
  }

  setTimeout(callback: () => void, ms: number): number {
    this.#timers.set(this.#next, { at: this.#now + ms, callback });
    return this.#next++;
  }

  clearTimeout(handle: unknown): void {
    this.#timers.delete(handle as number);
  }

  /** Goes to the first instant up to `until` at which timers are due and runs them; answers false at `until` itself if none is. */
  step(until: number): boolean {
    let at = Infinity;
    for (const timer of this.#timers.values()) at = Math.min(at, timer.at);
    if (at > until) {
      this.#now = until;
      return false;
    }
    this.#now = at;
    for (const [id, timer] of this.#timers) {
      if (timer.at > at) continue;
      this.#timers.delete(id);
      timer.callback();
    }
    return true;
  }
}
