import { Check } from '../../core/check.ts';
import type { Measurement, TripCounter, TripRule } from './rule.ts';

class ConsecutiveFailures implements TripCounter {
  readonly #threshold: number;
  #failures: number;

  constructor(threshold: number, failures: number) {
    this.#threshold = threshold;
    this.#failures = failures;
  }

  record(failed: boolean): boolean {
    if (!failed) {
      this.#failures = 0;
      return false;
    }
    return ++this.#failures >= this.#threshold;
  }

  measure(): Measurement {
    const failures = this.#failures;
    return { rule: 'consecutiveFailures', value: failures, threshold: this.#threshold, calls: failures, failures };
  }

  clear(): void {
    this.#failures = 0;
  }

  toJSON(): number {
    return this.#failures;
  }
}

/**
 * Opens after this many failures in a row; only a success breaks the row. It needs no clock and no window: the cheapest
 * rule, and the right one where calls are rare. `failureThreshold: n` is short for it.
 *
 * @param threshold 1 … 2^31 − 1
 * @throws RangeError, TypeError
 */
export function consecutiveFailures(threshold: number): TripRule {
  const check = new Check('consecutiveFailures');
  check.integer('threshold', threshold, [1, 2 ** 31 - 1]);
  check.done();
  return {
    name: 'consecutiveFailures',
    start(_now, saved = 0) {
      if (!Number.isSafeInteger(saved) || (saved as number) < 0) throw new TypeError('consecutiveFailures: a count');
      return new ConsecutiveFailures(threshold, saved as number);
    },
  };
}
