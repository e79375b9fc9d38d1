import type { Teller } from '../channels.ts';
import { type InstrumentKey, instruments } from '../instruments.ts';
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

const otherErrors = '_OTHER';
const mostErrorTypes = 10;

/** What was counted under one name. */
export class Book implements Account {
  readonly name: string;
  readonly #counters = new Map<InstrumentKey, Map<string, Series>>();
  readonly #histograms = new Map<InstrumentKey, Map<string, Distribution>>();
  readonly #errorTypes = new Set<string>();
  changedAt: number | undefined = undefined;
  /** Who is told under this name and is not disposed; no longer than anybody else holds it. */
  readonly tellers: Set<WeakRef<Teller>> = new Set();

  readonly #told: ((key: InstrumentKey, labels: readonly string[], value: number) => void) | undefined;

  /** @param told takes observations of histograms, which are then not kept here */
  constructor(name: string, told?: (key: InstrumentKey, labels: readonly string[], value: number) => void) {
    this.name = name;
    this.#told = told;
  }

  add(key: InstrumentKey, labels: readonly string[], value = 1): void {
    placeOf(this.#counters, key, labels, () => ({ labels, value: 0 })).value += value;
  }

  observe(key: InstrumentKey, labels: readonly string[], value: number): void {
    if (this.#told !== undefined) {
      this.#told(key, labels, value);
      return;
    }
    const { buckets = [] } = instruments[key];
    const distribution = placeOf(this.#histograms, key, labels, () => ({
      labels,
      counts: new Array<number>(buckets.length + 1).fill(0),
      sum: 0,
      count: 0,
    }));
    let bucket = 0;
    while (bucket < buckets.length && value > (buckets[bucket] as number)) bucket++;
    (distribution.counts[bucket] as number)++;
    distribution.sum += value;
    distribution.count++;
  }

  /** The first ten types of errors keep their names. */
  errorType(type: string): string {
    if (this.#errorTypes.has(type)) return type;
    if (this.#errorTypes.size >= mostErrorTypes) return otherErrors;
    this.#errorTypes.add(type);
    return type;
  }

  counters(key: InstrumentKey): Iterable<Series> {
    return this.#counters.get(key)?.values() ?? [];
  }

  histograms(key: InstrumentKey): Iterable<Distribution> {
    return this.#histograms.get(key)?.values() ?? [];
  }

  /** Those that still exist. */
  *living(): Iterable<Teller> {
    for (const held of this.tellers) {
      const teller = held.deref();
      if (teller === undefined) this.tellers.delete(held);
      else yield teller;
    }
  }
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
