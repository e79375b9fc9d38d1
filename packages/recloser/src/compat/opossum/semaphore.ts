import { Places } from '../../core/places.ts';
import { systemClock } from '../../core/time/clock.ts';

/** Leave for so many at a time; more wait in line. */
export interface Semaphore {
  /** How many may still come. */
  readonly count: number;
  /**
   * Waits for a place, at most `timeout` milliseconds if given; answers with `release`. Rejects with an error of code
   * `ETIMEDOUT`.
   */
  take(timeout?: number): Promise<() => void>;
  release(): void;
  /** Takes a place if there is one, and says so. */
  test(): boolean;
}

/** Makes a semaphore, as opossum's `lib/semaphore.js` does. */
export function Semaphore(count: number): Semaphore {
  const places = new Places(count);
  const waiting = new Set<() => void>();

  const release = (): void => {
    places.release();
    for (const admit of waiting) {
      admit();
      break;
    }
  };
  const take = (timeout?: number): Promise<() => void> => {
    if (places.take()) return Promise.resolve(release);
    return new Promise((resolve, reject) => {
      let timer: unknown;
      const admit = (): void => {
        systemClock.clearTimeout(timer);
        waiting.delete(admit);
        places.take();
        resolve(release);
      };
      waiting.add(admit);
      if (!timeout) return;
      timer = systemClock.setTimeout(() => {
        waiting.delete(admit);
        reject(Object.assign(new Error(`Timed out after ${timeout}ms`), { code: 'ETIMEDOUT' }));
      }, timeout);
    });
  };
  return {
    take,
    release,
    test: () => places.take(),
    get count() {
      return places.limit - places.taken;
    },
  };
}
