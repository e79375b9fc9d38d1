import type { Hold } from './call/call.ts';
import type { Clock } from './time/clock.ts';

/** A counting semaphore without a queue. */
export class Places {
  taken: number;
  limit: number;
  /** How many of them are taken by calls that began when there was no limit yet. */
  #unplaced: number;

  constructor(limit: number, atWork = 0) {
    this.limit = limit;
    this.taken = this.#unplaced = atWork;
  }

  /** Of such calls there is one more, which takes a place whatever the limit, or one less (-1). Answers how many there are. */
  unplaced(more: 1 | -1): number {
    this.taken += more;
    return (this.#unplaced += more);
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
