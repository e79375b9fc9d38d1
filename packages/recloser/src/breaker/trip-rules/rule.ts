import { having, type Reader } from '../../core/check.ts';

/** What a rule has measured: the figure, what it is held against, and the calls behind it. */
export interface Measurement {
  /** The rule's name; of several combined rules the one that decided. */
  readonly rule: string;
  readonly value: number;
  readonly threshold: number;
  /** The calls in the window; for consecutive counting, those in the row. */
  readonly calls: number;
  readonly failures?: number;
  readonly slowCalls?: number;
  readonly minimumCalls?: number;
  readonly windowMs?: number;
  readonly windowCalls?: number;
  readonly slowCallMs?: number;
  /** With it `value` is the lower bound of the share, not the share. */
  readonly confidence?: number;
  /** The share that is normal, as far as the rule has learnt it. */
  readonly normalShare?: number;
  /** Of combined rules, what each has measured. */
  readonly parts?: readonly Measurement[];
}

/** A rule at work in one breaker. It counts in place; its JSON goes on in another process. */
export interface TripCounter {
  /**
   * Counts one sample; true as long as the circuit should open. `elapsedMs` and `now` are 0 for a rule that reads neither.
   */
  record(failed: boolean, elapsedMs: number, now: number): boolean;
  /** What `record` judged by, as it is at `now`; moves nothing. */
  measure(now: number): Measurement;
  /** Forgets all samples: the circuit has closed. */
  clear(now: number): void;
  /** Its state as JSON, for `start` of the same rule. */
  toJSON(now: number): unknown;
  /** From how many milliseconds on a call is slow, where that is learnt and not the rule's own `slowCallMs`. */
  slowCallMs?(now: number): number;
}

/**
 * When a closed circuit opens. Write your own with these members; one rule may serve many breakers, its state is in what
 * `start` makes.
 */
export interface TripRule {
  readonly name: string;
  /** What `record` needs besides the outcome. Without it the breaker reads no clock, which is a third of the cost of a call. */
  readonly reads?: 'durations' | 'time' | undefined;
  /** A call is slow from this many milliseconds on. */
  readonly slowCallMs?: number | undefined;
  /**
   * `saved` is what `toJSON` of a counter of this rule wrote; throws `TypeError` if it can't be that. `report` is for a rule of rules: it gets
   * what one of them throws, so that the others go on.
   */
  start(now: number, saved?: unknown, report?: (fault: unknown) => void): TripCounter;
  /**
   * Says a measurement in words, for `explain()` and the messages. It may be one that another rule made, before an `update` or a restore:
   * `undefined` leaves it to the plain words.
   */
  describe?(measured: Measurement): string | undefined;
}

export const tripRule: Reader<TripRule> = having('a trip rule', { name: 'string', start: 'function' });
