import type { Measurement, TripCounter, TripRule } from '../breaker/trip-rules/rule.ts';
import { many } from '../core/words.ts';
import type { ParentOptions } from './options.ts';

/** What is known of one key. */
export interface Key {
  /** The period in which it was last used. */
  period: number;
  /** The era in which it opened and has not closed since; 0: none. */
  era: number;
}

/**
 * How many of the keys in use are open. A key is in use if it was used in this period of `windowMs` or the one before. When the parent
 * closes, a new era begins: a key that is open then counts only when it opens again. Each use takes O(1), whatever the number of keys.
 */
export class OpenKeys implements TripRule, TripCounter {
  readonly name = 'openKeyRate';
  era = 1;
  readonly #threshold: number;
  readonly #minimumOpen: number;
  readonly #windowMs: number;
  #period = 0;
  /** In this period, and in the one before. */
  #used: [number, number] = [0, 0];
  #open: [number, number] = [0, 0];

  constructor({ threshold = 0.5, minimumOpen = 5, windowMs = 60_000 }: ParentOptions) {
    this.#threshold = threshold;
    this.#minimumOpen = minimumOpen;
    this.#windowMs = windowMs;
  }

  use(key: Key, now: number): void {
    this.#turn(now);
    if (key.period !== this.#period) this.mark(key, key.era, this.#period);
  }

  mark(key: Key, era: number, period: number = key.period): void {
    this.#count(key, -1);
    key.period = period;
    key.era = era;
    this.#count(key, 1);
  }

  #count({ period, era }: Key, by: number): void {
    const ago = this.#period - period;
    if (ago !== 0 && ago !== 1) return;
    this.#used[ago] += by;
    if (era === this.era) this.#open[ago] += by;
  }

  #turn(now: number): void {
    const period = Math.floor(now / this.#windowMs);
    for (let gone = Math.min(2, period - this.#period); gone > 0; gone--) {
      this.#used = [0, this.#used[0]];
      this.#open = [0, this.#open[0]];
    }
    this.#period = period;
  }

  start(): TripCounter {
    return this;
  }

  /** How a call ended says nothing here: what counts is a key that opens. */
  record(): boolean {
    return false;
  }

  /** Whether there are so many that the circuit should open. */
  tooMany(now: number): boolean {
    const { value, threshold, failures } = this.measure(now);
    return failures >= this.#minimumOpen && value >= threshold;
  }

  measure(now: number): Measurement & { readonly failures: number } {
    this.#turn(now);
    const calls = this.#used[0] + this.#used[1];
    const failures = this.#open[0] + this.#open[1];
    return {
      rule: this.name,
      value: failures / (calls || 1),
      threshold: this.#threshold,
      calls,
      failures,
      windowMs: this.#windowMs,
    };
  }

  clear(): void {
    this.era++;
    this.#open = [0, 0];
  }

  /** Which keys are open is in their own snapshots. */
  toJSON(): undefined {}

  describe({ calls, failures = 0 }: Measurement): string {
    const minimumOpen = this.#minimumOpen;
    const few = failures < minimumOpen ? `, fewer than ${minimumOpen}` : '';
    return `${failures} of ${many(calls, 'key')} in use ${failures === 1 || calls === 1 ? 'is' : 'are'} open${few}`;
  }
}
