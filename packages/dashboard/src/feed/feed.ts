import type { CircuitBreaker, Clock } from 'recloser';
import { Journal } from '../history/journal.ts';
import { SeriesStore } from '../history/series-store.ts';
import type { Entry } from '../protocol/entry.ts';
import type { Change, Instance } from '../protocol/messages.ts';
import type { Row, RowPatch } from '../protocol/row.ts';
import { ProcessMeter } from './process-figures.ts';
import { recentOf, writeSecond } from './recent.ts';
import { type BreakerSource, Ids, lister } from './roster.ts';
import { Watch, type Watcher } from './watch.ts';

/** Breakers read in one go: so long the event loop waits at most. */
const sliceSize = 100;
/** Rows in one message at most. */
const rowsPerChange = 500;
/** What happens is told after so long, with whatever else happened by then: at once for a person, not a flood for a page. */
const newsAfterMs = 20;
const entriesPerChange = 200;

export interface FeedOptions {
  readonly breakers: BreakerSource;
  readonly instance: string;
  readonly clock: Clock;
  readonly historyBytes: number;
  readonly redact?: ((message: string) => string) | undefined;
  readonly report: (fault: unknown) => void;
}

/** Reads the breakers of this process once a second, a slice at a time, keeps their history, and tells what changed. */
export class Feed implements Watcher {
  readonly instance: string;
  readonly journal: Journal = new Journal();
  readonly series: SeriesStore;
  readonly watches: Map<string, Watch> = new Map();
  readonly #options: FeedOptions;
  readonly #list: () => Iterable<CircuitBreaker>;
  readonly #byBreaker = new Map<CircuitBreaker, Watch>();
  readonly #ids = new Ids();
  readonly #meter = new ProcessMeter();
  readonly #epoch: number;
  readonly #timers = new Set<unknown>();
  #onChange: ((change: Change) => void) | undefined;
  #process: Instance['process'];
  #rows: RowPatch[] = [];
  #gone: string[] = [];
  #entries: Entry[] = [];
  #news: unknown;

  constructor(options: FeedOptions, onChange: (change: Change) => void) {
    const { clock, historyBytes, instance, breakers } = options;
    this.#options = options;
    this.instance = instance;
    this.series = new SeriesStore(historyBytes);
    this.#epoch = Date.now() - clock.now();
    this.#onChange = onChange;
    this.#list = lister(breakers);
    this.#takeStock();
    this.#after(1_000, () => this.#second());
  }

  /** Epoch ms, by the monotonic clock: series know no steps of the wall clock. */
  at(): number {
    return this.#epoch + this.#options.clock.now();
  }

  happened(watch: Watch, entry: Entry): void {
    this.journal.add(entry);
    if (this.#entries.length < entriesPerChange) this.#entries.push(entry);
    const patch = watch.refresh();
    if (patch !== undefined) this.#rows.push(patch);
    if (this.#news === undefined) this.#news = this.#after(newsAfterMs, () => this.#flush());
  }

  /** This instance as it is now. */
  state(): Instance {
    const rows: Row[] = [];
    for (const { row } of this.watches.values()) rows.push(row);
    const recent = recentOf(this.watches, this.series, Math.floor(this.at() / 1_000));
    return { name: this.instance, live: true, process: this.#process, rows, recent };
  }

  close(): void {
    this.#onChange = undefined;
    for (const timer of this.#timers) this.#options.clock.clearTimeout(timer);
    for (const watch of this.watches.values()) watch.stop();
    this.#meter.close();
  }

  #second(): void {
    const began = this.#options.clock.now();
    this.#process = this.#meter.read();
    this.#takeStock();
    const queue = [...this.watches.values()];
    const gapMs = Math.max(1, 900 / Math.ceil(queue.length / sliceSize));
    const slice = (from: number): void => {
      for (const watch of queue.slice(from, from + sliceSize)) this.#sample(watch);
      const next = from + sliceSize;
      if (this.#rows.length >= rowsPerChange) this.#flush();
      if (next < queue.length) this.#after(gapMs, () => slice(next));
      else {
        this.#flush(true);
        this.#after(Math.max(1, began + 1_000 - this.#options.clock.now()), () => this.#second());
      }
    };
    slice(0);
  }

  #sample(watch: Watch): void {
    // Gone since the second began.
    if (this.watches.get(watch.id) !== watch) return;
    try {
      const patch = watch.sample();
      if (patch !== undefined) this.#rows.push(patch);
      writeSecond(this.series, watch, Math.floor(this.at() / 1_000));
    } catch (fault) {
      this.#options.report(fault);
    }
  }

  /** Takes up the breakers that are new and lets go of those that are gone. */
  #takeStock(): void {
    try {
      const missing = new Set(this.#byBreaker.keys());
      for (const breaker of this.#list()) {
        if (!missing.delete(breaker) && !this.#byBreaker.has(breaker)) this.#add(breaker);
      }
      for (const breaker of missing) this.#remove(breaker);
    } catch (fault) {
      this.#options.report(fault);
    }
  }

  #add(breaker: CircuitBreaker): void {
    const id = this.#ids.take(breaker.name);
    const watch = new Watch(id, breaker, this, this.#options.redact);
    this.watches.set(id, watch);
    this.#byBreaker.set(breaker, watch);
    this.#rows.push(watch.row);
  }

  #remove(breaker: CircuitBreaker): void {
    const watch = this.#byBreaker.get(breaker) as Watch;
    watch.stop();
    this.#byBreaker.delete(breaker);
    this.watches.delete(watch.id);
    this.series.release(watch.series);
    this.#ids.release(watch.id);
    this.#gone.push(watch.id);
  }

  #flush(second = false): void {
    this.#options.clock.clearTimeout(this.#news);
    this.#timers.delete(this.#news);
    this.#news = undefined;
    const change: Change = {
      instance: this.instance,
      at: Math.round(this.at()),
      ...(second ? { second: true, process: this.#process } : {}),
      ...(this.#rows.length > 0 ? { rows: this.#rows } : {}),
      ...(this.#gone.length > 0 ? { gone: this.#gone } : {}),
      ...(this.#entries.length > 0 ? { entries: this.#entries } : {}),
    };
    this.#rows = [];
    this.#gone = [];
    this.#entries = [];
    this.#onChange?.(change);
  }

  #after(ms: number, callback: () => void): unknown {
    const timer = this.#options.clock.setTimeout(() => {
      this.#timers.delete(timer);
      // What is thrown in a timer ends the process that is only watched.
      try {
        callback();
      } catch (fault) {
        this.#options.report(fault);
      }
    }, ms);
    this.#timers.add(timer);
    // A page nobody looks at keeps no process alive.
    (timer as { unref?: () => void } | null)?.unref?.();
    return timer;
  }
}
