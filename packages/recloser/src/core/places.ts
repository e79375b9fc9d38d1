import type { Hold } from './call/call.ts';
import type { Clock } from './time/clock.ts';

/** A counting semaphore without a queue. */
export class Places {
  taken = 0;
  limit: number;

  constructor(limit: number) {
    this.limit = limit;
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
