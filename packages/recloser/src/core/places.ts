import type { Hold } from './call/call.ts';
import type { Clock } from './time/clock.ts';

/** A counting semaphore without a queue. */
export class Places {
  taken: number;
  limit: number;
  /** Those of them that are taken by calls which began when there was no limit yet. */
  #unplaced: number;

  constructor(limit: number, atWork = 0) {
    this.limit = limit;
    this.taken = this.#unplaced = atWork;
  }

  /** So many calls are at work: if more places are taken, calls have ended that had none of their own. Answers how many there still are. */
  fit(atWork: number): number {
    const ended = Math.max(0, Math.min(this.#unplaced, this.taken - atWork));
    this.taken -= ended;
    return (this.#unplaced -= ended);
  }

  take(): boolean {
    if (this.taken >= this.limit) return false;
    this.taken++;
    return true;
  }

  release(): void {
    this.taken--;
  }
}

/** How the calls of one configuration hold their places. */
export class PlaceHold implements Hold {
  readonly #places: Places;
  readonly releaseOnTimeout: boolean;
  readonly abandonAfterMs: number;
  readonly clock: Clock;

  constructor(places: Places, releaseOnTimeout: boolean, abandonAfterMs: number, clock: Clock) {
    this.#places = places;
    this.releaseOnTimeout = releaseOnTimeout;
    this.abandonAfterMs = abandonAfterMs;
    this.clock = clock;
  }

  take(): boolean {
    return this.#places.take();
  }

  release(): void {
    this.#places.release();
  }
}
