import type { Entry } from '../protocol/entry.ts';

/** How far back the journal goes, in milliseconds. */
export const keptMs: number = 6 * 3_600_000;

interface Kept {
  readonly entry: Entry;
  dropped: boolean;
}

/**
 * What happened in the last six hours. Two bounds hold besides: one for each breaker, so that a flapping one can't push out
 * the rest, and one for all.
 */
export class Journal {
  readonly #perBreaker: number;
  readonly #overall: number;
  #all: Kept[] = [];
  readonly #byId = new Map<string, Kept[]>();
  #live = 0;

  constructor(perBreaker = 200, overall = 5_000) {
    this.#perBreaker = perBreaker;
    this.#overall = overall;
  }

  get size(): number {
    return this.#live;
  }

  add(entry: Entry): void {
    const kept = { entry, dropped: false };
    this.#all.push(kept);
    const own = this.#byId.get(entry.id);
    if (own === undefined) this.#byId.set(entry.id, [kept]);
    else own.push(kept);
    this.#live++;
    if (own !== undefined && own.length > this.#perBreaker) this.#drop(own[0] as Kept);
    this.#sweep(entry.at);
  }

  /** Of one breaker, the newest last. */
  of(id: string, now: number): Entry[] {
    this.#sweep(now);
    return (this.#byId.get(id) ?? []).map(({ entry }) => entry);
  }

  /** Of all breakers, the newest last. */
  latest(count: number, now: number): Entry[] {
    this.#sweep(now);
    const found: Entry[] = [];
    for (let i = this.#all.length - 1; i >= 0 && found.length < count; i--) {
      const { entry, dropped } = this.#all[i] as Kept;
      if (!dropped) found.push(entry);
    }
    return found.reverse();
  }

  /** The breakers that it tells of. */
  ids(now: number): string[] {
    this.#sweep(now);
    return [...this.#byId.keys()];
  }

  #drop(kept: Kept): void {
    const own = this.#byId.get(kept.entry.id);
    kept.dropped = true;
    this.#live--;
    if (own !== undefined && own.length > 1) own.shift();
    else this.#byId.delete(kept.entry.id);
  }

  #sweep(now: number): void {
    let first = 0;
    for (; first < this.#all.length; first++) {
      const kept = this.#all[first] as Kept;
      if (kept.dropped) continue;
      if (this.#live <= this.#overall && now - kept.entry.at <= keptMs) break;
      this.#drop(kept);
    }
    if (first > 0) this.#all.splice(0, first);
    // Entries dropped out of the middle: as many as are kept, at most.
    if (this.#all.length > 2 * this.#overall) this.#all = this.#all.filter(({ dropped }) => !dropped);
  }
}
