import type { Teller } from '../channels.ts';
import { type InstrumentKey, instruments } from '../instruments.ts';
import type { Held } from '../living.ts';
import type { Account } from './recording.ts';

/** One series of an instrument: the values of its labels, in their order, and a figure. */
export interface Series {
  readonly labels: readonly string[];
  value: number;
}

/** One series of a histogram: how many observations fell below each bound and not below the one before, the rest last. */
export interface Distribution {
  readonly labels: readonly string[];
  readonly counts: number[];
  sum: number;
  count: number;
}

const other = '_OTHER';

/** What was counted under one name. */
export class Book implements Account {
  readonly name: string;
  readonly #counters = new Map<InstrumentKey, Map<string, Series>>();
  readonly #histograms = new Map<InstrumentKey, Map<string, Distribution>>();
  readonly #errorTypes = new Set<string>();
  readonly #reasons = new Set<string>();
  changedAt: number | undefined = undefined;
  readonly openedAt: WeakMap<object, number>;
  /** Who is told under this name. */
  readonly members: Set<Held<Teller>> = new Set();
  resetTold = false;
  readonly #told: ((key: InstrumentKey, labels: readonly string[], value: number) => void) | undefined;

  /** @param told takes observations of histograms, which are then not kept here */
  constructor(
    name: string,
    openedAt: WeakMap<object, number>,
    told?: (key: InstrumentKey, labels: readonly string[], value: number) => void,
  ) {
    this.name = name;
    this.openedAt = openedAt;
    this.#told = told;
  }

  add(key: InstrumentKey, labels: readonly string[], value = 1): void {
    placeOf(this.#counters, key, labels, () => ({ labels, value: 0 })).value += value;
  }

  /** A histogram that is there before its first observation. */
  begin(key: InstrumentKey, labels: readonly string[]): void {
    if (this.#told === undefined) this.#distribution(key, labels);
  }

  observe(key: InstrumentKey, labels: readonly string[], value: number): void {
    if (this.#told !== undefined) {
      this.#told(key, labels, value);
      return;
    }
    const { buckets = [] } = instruments[key];
    const distribution = this.#distribution(key, labels);
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
    (distribution.counts[bucket] as number)++;
    distribution.sum += value;
    distribution.count++;
  }

  #distribution(key: InstrumentKey, labels: readonly string[]): Distribution {
    return placeOf(this.#histograms, key, labels, () => ({
      labels,
      counts: new Array<number>((instruments[key].buckets?.length ?? 0) + 1).fill(0),
      sum: 0,
      count: 0,
    }));
  }

  /** The first ten types of errors keep their names, … */
  errorType(type: string): string {
    return bounded(this.#errorTypes, type, 10);
  }

  /** … and the first twenty reasons: a trip rule of the user's says its own. */
  reason(word: string): string {
    return bounded(this.#reasons, word, 20);
  }

  counters(key: InstrumentKey): Iterable<Series> {
    return this.#counters.get(key)?.values() ?? [];
  }

  histograms(key: InstrumentKey): Iterable<Distribution> {
    return this.#histograms.get(key)?.values() ?? [];
  }
}

function bounded(known: Set<string>, word: string, most: number): string {
  if (!known.has(word) && known.size >= most) return other;
  known.add(word);
  return word;
}

function placeOf<S>(
  shelf: Map<InstrumentKey, Map<string, S>>,
  key: InstrumentKey,
  labels: readonly string[],
  make: () => S,
): S {
  let series = shelf.get(key);
  if (series === undefined) {
    series = new Map();
    shelf.set(key, series);
  }
  const place = labels.length === 1 ? (labels[0] as string) : labels.join('\n');
  let found = series.get(place);
  if (found === undefined) {
    found = make();
    series.set(place, found);
  }
  return found;
}
