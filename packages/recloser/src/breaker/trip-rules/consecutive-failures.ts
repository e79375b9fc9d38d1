import { count, number, read, record, stored } from '../../core/check.ts';
import { many } from '../../core/words.ts';
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

class ConsecutiveRule implements TripRule {
  readonly name = 'consecutiveFailures';
  readonly #threshold: number;

  constructor(threshold: number) {
    this.#threshold = threshold;
  }

  start(_now: number, saved: unknown = 0): TripCounter {
    const row = { failures: number(0, Number.MAX_SAFE_INTEGER, true) };
    const { failures } = read('consecutiveFailures', { failures: saved }, stored(record(row)));
    return new ConsecutiveFailures(this.#threshold, failures);
  }

  describe({ rule, value }: Measurement): string | undefined {
    return rule === this.name ? many(value, 'consecutive failure') : undefined;
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
  read('consecutiveFailures', { threshold }, record({ threshold: count }));
  return new ConsecutiveRule(threshold);
}
