import type { CircuitBreaker } from '../../breaker/breaker.ts';
import { number, type Reader, type Readers } from '../../core/check.ts';
import { listenTo } from '../channel.ts';
import type { Teller } from '../channels.ts';
import { type Instrument, type InstrumentKey, instruments } from '../instruments.ts';
import { type Held, Living } from '../living.ts';
import { Book, type Distribution, type Series } from './book.ts';
import { readTeller, type Take } from './readings.ts';
import { begin, recording } from './recording.ts';

/** Options of every sink of metrics. */
export interface MeterOptions {
  /** How many names have series of their own, 1 … 10,000; default 100. Further names share series as `_overflow`. */
  readonly maxNames?: number | undefined;
  /** Policies made before the sink. It hears by itself of those made later. */
  readonly policies?: Iterable<object> | undefined;
}

/** All series of an instrument. Their first label is the name, unless the instrument has none. */
export interface Family<S extends Series | Distribution = Series | Distribution> {
  readonly key: InstrumentKey;
  readonly instrument: Instrument;
  readonly series: readonly S[];
}

/** Takes up one observation of a histogram at the moment it is made. */
export type Observe = (key: InstrumentKey, name: string, labels: readonly string[], value: number) => void;

const overflowName = '_overflow';
const mostOverflown = 10_000;
const combined: { readonly [How in Exclude<Parameters<Take>[3], 'growth'>]: (a: number, b: number) => number } = {
  sum: (a, b) => a + b,
  most: Math.max,
  least: Math.min,
};
/** For policies that are disposed of: what is still told of them is not kept. */
const limbo = new Book('', new WeakMap());

const told: Reader<object> = (value, path, fault) => {
  const { kind, name, label } = Object(value) as Partial<Teller>;
  if ([kind, name, label].some((word) => typeof word !== 'string')) fault(path, 'a policy of recloser', value);
  return value as object;
};
export const policiesOf: Reader<Iterable<object>> = (value, path, fault) => {
  if (typeof (value as Iterable<object> | null)?.[Symbol.iterator] === 'function') {
    return [...(value as Iterable<object>)].map((policy, i) => told(policy, `${path}[${i}]`, fault));
  }
  fault(path, 'a list of policies', value);
  return [];
};
/** The readers of those options. */
export const meterOptions: Readers<MeterOptions> = { maxNames: number(1, 10_000, true), policies: policiesOf };

/** Counts what the channels tell, and reads what policies are at the moment somebody collects. */
export class Meter {
  readonly #maxNames: number;
  readonly #observe: Observe | undefined;
  readonly #books = new Map<string, Book>();
  readonly #bookOf = new WeakMap<object, Book>();
  readonly #offs: readonly (() => void)[];
  readonly #living = new Living<Teller, Held<Teller>, Book>((book) => this.#close(book));
  /** When each breaker that is not closed opened; epoch seconds. */
  readonly #openedAt = new WeakMap<object, number>();
  /** How much has been taken up of what policies count by themselves. */
  readonly #taken = new WeakMap<object, number>();
  readonly #overflown = new Set<string>();
  /** Called when it stops. */
  onStop: (() => void) | undefined = undefined;

  constructor({ maxNames = 100, policies = [] }: MeterOptions, observe?: Observe) {
    this.#maxNames = maxNames;
    this.#observe = observe;
    this.watch(policies as Iterable<Teller>);
    this.#offs = [
      listenTo('recloser:policy:created', (message) => this.#book((message as { policy: Teller }).policy)),
      listenTo('recloser:policy:disposed', (message) => this.#forget((message as { policy: Teller }).policy)),
      ...recording.map(([channel, record]) =>
        listenTo(channel, (message) => {
          const { policy, payload } = message as { policy: Teller; payload: never };
          record(this.#book(policy), payload, policy);
        }),
      ),
    ];
  }

  watch(policies: Iterable<Teller>): void {
    for (const policy of policies) this.#book(policy);
  }

  stop(): void {
    for (const off of this.#offs) off();
    this.#books.clear();
    this.onStop?.();
  }

  #book(policy: Teller): Book {
    const known = this.#bookOf.get(policy);
    if (known !== undefined) return known;
    const { keeper, parent } = policy as Teller & { readonly parent?: Teller };
    const isOver = [policy, keeper].some((each) => (each as Partial<CircuitBreaker>)?.ending === 'disposed');
    const book = isOver ? limbo : this.#open(policy.label);
    this.#bookOf.set(policy, book);
    if (isOver) return book;
    // The keys of a registry are read with it.
    if (policy.kept !== 'member') this.#living.add(policy, book, { ref: new WeakRef(policy) });
    begin(book, policy);
    for (const other of [keeper, parent]) if (other !== undefined) this.#book(other);
    return book;
  }

  #open(label: string): Book {
    const opened = this.#books.get(label);
    if (opened !== undefined) return opened;
    const isFull = this.#books.size - (this.#books.has(overflowName) ? 1 : 0) >= this.#maxNames;
    const name = isFull ? overflowName : label;
    if (isFull) this.#overflow(label);
    let book = this.#books.get(name);
    if (book === undefined) {
      const observe = this.#observe;
      book = new Book(name, this.#openedAt, observe && ((key, labels, value) => observe(key, name, labels, value)));
      this.#books.set(name, book);
    }
    return book;
  }

  /** The names are kept apart as long as they can be counted in bounded memory. */
  #overflow(label: string): void {
    if (this.#overflown.size === 0) {
      console.warn(
        `recloser: more than ${this.#maxNames} names of policies; the others have metrics together, as _overflow`,
      );
    }
    if (this.#overflown.size < mostOverflown) this.#overflown.add(label);
  }

  #forget(policy: Teller): void {
    const book = this.#bookOf.get(policy);
    if (book !== undefined && policy.kept !== 'member') readTeller(policy, this.#taker(policy, book), this.#openedAt);
    this.#bookOf.set(policy, limbo);
    this.#living.remove(policy);
  }

  /** With the last of a name go its series. */
  #close(book: Book): void {
    const { name } = book;
    if (name === overflowName || this.#books.get(name) !== book) return;
    this.#books.delete(name);
  }

  /** The figures of this moment. */
  collect(): Family[] {
    const read = this.#read();
    return (Object.keys(instruments) as InstrumentKey[]).map((key) => {
      const instrument: Instrument = instruments[key];
      const series =
        instrument.kind === 'histogram' ? this.#counted(key, 'histograms') : this.#counted(key, 'counters');
      return { key, instrument, series: [...series, ...(read.get(key)?.values() ?? [])] };
    });
  }

  *#counted(key: InstrumentKey, kind: 'counters' | 'histograms'): Iterable<Series | Distribution> {
    for (const book of this.#books.values()) {
      for (const series of book[kind](key)) yield { ...series, labels: [book.name, ...series.labels] };
    }
  }

  #read(): Map<InstrumentKey, Map<string, Series>> {
    const read = new Map<InstrumentKey, Map<string, Series>>([
      ['overflows', new Map([['', { labels: [], value: this.#overflown.size }]])],
    ]);
    for (const book of this.#books.values()) {
      for (const { ref } of book.members) {
        const teller = ref.deref();
        if (teller !== undefined) readTeller(teller, this.#taker(teller, book, read), this.#openedAt);
      }
      const { name, changedAt } = book;
      if (changedAt !== undefined) put(read, 'lastTransition', [name], changedAt, 'most');
    }
    return read;
  }

  /** What has grown goes into the book, and the rest into what is read. */
  #taker(policy: Teller, book: Book, read?: Map<InstrumentKey, Map<string, Series>>): Take {
    return (key, labels, value, how) => {
      if (how === 'growth') {
        book.add(key, labels, value - (this.#taken.get(policy) ?? 0));
        this.#taken.set(policy, value);
      } else if (read !== undefined) put(read, key, [book.name, ...labels], value, how);
    };
  }
}

function put(
  read: Map<InstrumentKey, Map<string, Series>>,
  key: InstrumentKey,
  labels: readonly string[],
  value: number,
  how: keyof typeof combined,
): void {
  const all = read.get(key) ?? new Map<string, Series>();
  read.set(key, all);
  const place = labels.join('\n');
  const found = all.get(place);
  if (found === undefined) all.set(place, { labels, value });
  else found.value = combined[how](found.value, value);
}
