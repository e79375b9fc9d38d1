import type { CircuitBreaker, Clock } from 'recloser';
import { Journal } from '../history/journal.ts';
import { SeriesStore } from '../history/series-store.ts';
import type { Entry } from '../protocol/entry.ts';
import type { Change, Instance } from '../protocol/messages.ts';
import type { Row, RowPatch } from '../protocol/row.ts';
import { Ears } from './ears.ts';
import { ProcessMeter } from './process-figures.ts';
import { recentOf, writeSecond } from './recent.ts';
import { RegistryWatch, type RegistryWatcher } from './registry-watch.ts';
import { type BreakerSource, Ids, isRegistry, lister, type Watchable } from './roster.ts';
import { Watch, type Watched } from './watch.ts';

/** Breakers read in one go: so long the event loop waits at most. */
const sliceSize = 100;
/** Rows in one message at most. */
const rowsPerChange = 500;
/** What happens is told after so long, with whatever else happened by then: at once for a person, not a flood for a page. */
const newsAfterMs = 20;
const entriesPerChange = 200;
/** A registry is read anew so often at most: that takes a time that grows with its keys. */
const registryAfterMs = 250;

export interface FeedOptions {
  readonly breakers: BreakerSource;
  readonly instance: string;
  readonly clock: Clock;
  readonly historyBytes: number;
  /** Rows for single keys of a registry. */
  readonly keys?: number | undefined;
  readonly redact?: ((message: string) => string) | undefined;
  readonly traceId?: (() => string | undefined) | undefined;
  readonly report: (fault: unknown) => void;
}

/** Reads the breakers of this process once a second, a slice at a time, keeps their history, and tells what changed. */
export class Feed implements RegistryWatcher {
  readonly instance: string;
  readonly journal: Journal = new Journal();
  readonly ears: Ears;
  readonly series: SeriesStore;
  readonly watches: Map<string, Watch | RegistryWatch> = new Map();
  readonly #options: FeedOptions;
  readonly #list: () => Iterable<Watchable>;
  readonly #bySubject = new Map<Watchable, Watch | RegistryWatch>();
  /** The registries, and when each was read. */
  readonly #registries = new Map<RegistryWatch, number>();
  /** Those with keys that did something since then. */
  readonly #stirred = new Set<RegistryWatch>();
  readonly #ids = new Ids();
  readonly #meter = new ProcessMeter();
  readonly #epoch: number;
  readonly #timers = new Set<unknown>();
  #onChange: ((change: Change) => void) | undefined;
  #process: Instance['process'];
  #rows: RowPatch[] = [];
  readonly #gone = new Set<string>();
  #entries: Entry[] = [];
  #news: unknown;

  constructor(options: FeedOptions, onChange: (change: Change) => void) {
    const { clock, historyBytes, instance, breakers } = options;
    this.#options = options;
    this.instance = instance;
    this.series = new SeriesStore(historyBytes);
    this.ears = new Ears((fault) => this.report(fault));
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

  get redact(): ((message: string) => string) | undefined {
    return this.#options.redact;
  }

  get traceId(): (() => string | undefined) | undefined {
    return this.#options.traceId;
  }

  report(fault: unknown): void {
    this.#options.report(fault);
  }

  happened(watch: Watched, entry: Entry): void {
    this.#keep(entry);
    const patch = watch.refresh();
    if (patch !== undefined) this.#rows.push(patch);
    this.#tellSoon(newsAfterMs);
  }

  stirred(watch: RegistryWatch, entry: Entry): void {
    // A key with a row of its own tells by itself.
    if (!this.watches.has(entry.id)) this.#keep(entry);
    const readAt = this.#registries.get(watch) ?? Number.NEGATIVE_INFINITY;
    this.#stirred.add(watch);
    this.#tellSoon(Math.max(newsAfterMs, readAt + registryAfterMs - this.#options.clock.now()));
  }

  /** Whether there is anything of this id, a key that has no row included. */
  has(id: string): boolean {
    return this.watches.has(id) || this.#keyOf(id) !== undefined;
  }

  /** What is shown of this id. A key of a registry that has no row gets one for a while. */
  look(id: string): Watch | RegistryWatch | undefined {
    const [registry, breaker] = this.#keyOf(id) ?? [];
    if (breaker !== undefined) {
      registry?.lookedAt(breaker.name);
      if (!this.#bySubject.has(breaker)) this.#addKey(breaker, registry as RegistryWatch);
    }
    return this.watches.get(id);
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
    this.#stirred.clear();
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

  #sample(watch: Watched): void {
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

  /** Lets go of the breakers that are gone and takes up those that are new: in this order, for what is made anew keeps its id. */
  #takeStock(): void {
    try {
      const missing = new Set(this.#bySubject.keys());
      const listed = new Set(this.#list());
      const chosen = new Map<Watchable, readonly CircuitBreaker[]>();
      for (const subject of listed) {
        missing.delete(subject);
        const watch = this.#bySubject.get(subject);
        if (!(watch instanceof RegistryWatch)) continue;
        const keys = this.#chosen(watch);
        chosen.set(subject, keys);
        for (const key of keys) missing.delete(key);
      }
      for (const subject of missing) this.#remove(subject);
      for (const subject of listed) this.#take(subject, chosen.get(subject));
    } catch (fault) {
      this.#options.report(fault);
    }
  }

  /** One that can't be watched keeps no other from it. */
  #take(subject: Watchable, keys: readonly CircuitBreaker[] | undefined): void {
    try {
      let watch = this.#bySubject.get(subject);
      if (watch === undefined) {
        watch = this.#add(subject, this.#ids.take(subject.name), (id) =>
          isRegistry(subject) ? new RegistryWatch(id, subject, this) : new Watch(id, subject, this, this.redact),
        );
      }
      if (watch instanceof RegistryWatch) this.#addKeys(watch, keys ?? this.#chosen(watch));
    } catch (fault) {
      this.#options.report(fault);
    }
  }

  /** The keys of a registry that deserve rows now. */
  #chosen(watch: RegistryWatch): readonly CircuitBreaker[] {
    this.#registries.set(watch, this.#options.clock.now());
    return watch.chosen(this.#options.keys ?? 20);
  }

  #addKeys(watch: RegistryWatch, keys: readonly CircuitBreaker[]): void {
    for (const key of keys) if (!this.#bySubject.has(key)) this.#addKey(key, watch);
  }

  #addKey(breaker: CircuitBreaker, registry: RegistryWatch): void {
    const id = registry.idOf(breaker.name);
    // A breaker of that name, or another key that is the same where names are cut.
    if (!this.#ids.claim(id)) return;
    const isDown = breaker.state === 'open' || breaker.state === 'half-open';
    const told = isDown ? this.journal.of(id, this.at()) : [];
    const opened = told.findLast(({ from, to }) => from === 'closed' && to === 'open');
    this.#add(breaker, id, () => new Watch(id, breaker, this, this.redact, registry.id, opened));
  }

  #add<W extends Watch | RegistryWatch>(subject: Watchable, id: string, make: (id: string) => W): W {
    let watch: W;
    try {
      watch = make(id);
    } catch (fault) {
      this.#ids.release(id);
      throw fault;
    }
    // In one message the end would come after the beginning.
    if (this.#gone.has(id)) this.#send();
    this.watches.set(watch.id, watch);
    this.#bySubject.set(subject, watch);
    this.#rows.push(watch.row);
    return watch;
  }

  /** The key of a registry that an id means. */
  #keyOf(id: string): [RegistryWatch, CircuitBreaker] | undefined {
    for (const watch of this.#registries.keys()) {
      const breaker = watch.memberOf(id);
      if (breaker !== undefined) return [watch, breaker];
    }
    return undefined;
  }

  #remove(subject: Watchable): void {
    const watch = this.#bySubject.get(subject) as Watch | RegistryWatch;
    watch.stop();
    this.#bySubject.delete(subject);
    this.#registries.delete(watch as RegistryWatch);
    this.watches.delete(watch.id);
    this.series.release(watch.series);
    this.#ids.release(watch.id);
    this.#gone.add(watch.id);
  }

  #keep(entry: Entry): void {
    this.journal.add(entry);
    if (this.#entries.length < entriesPerChange) this.#entries.push(entry);
  }

  #tellSoon(afterMs: number): void {
    if (this.#news === undefined) this.#news = this.#after(afterMs, () => this.#flush());
  }

  #flush(second = false): void {
    if (!second) this.#readStirred();
    this.#options.clock.clearTimeout(this.#news);
    this.#timers.delete(this.#news);
    this.#news = undefined;
    this.#send(second);
  }

  #send(second = false): void {
    const change: Change = {
      instance: this.instance,
      at: Math.round(this.at()),
      ...(second ? { second: true, process: this.#process } : {}),
      ...(this.#rows.length > 0 ? { rows: this.#rows } : {}),
      ...(this.#gone.size > 0 ? { gone: [...this.#gone] } : {}),
      ...(this.#entries.length > 0 ? { entries: this.#entries } : {}),
    };
    this.#rows = [];
    this.#gone.clear();
    this.#entries = [];
    this.#onChange?.(change);
  }

  /** Registries whose keys did something: their rows, and those of keys that are in trouble now. */
  #readStirred(): void {
    for (const watch of this.#stirred) {
      if (!this.#registries.has(watch)) continue;
      this.#addKeys(watch, this.#chosen(watch));
      const patch = watch.refresh();
      if (patch !== undefined) this.#rows.push(patch);
    }
    this.#stirred.clear();
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
