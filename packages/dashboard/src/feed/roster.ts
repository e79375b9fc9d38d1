import type { CircuitBreaker, Registry } from 'recloser';

/** A breaker, or a registry: one row for all its keys, and rows for those in trouble. */
export type Watchable = CircuitBreaker | Registry;

/** Where the breakers come from: a collection of breakers and registries, a registry, or a function that lists them. */
export type BreakerSource = Iterable<Watchable> | Registry | (() => Iterable<Watchable> | Registry);

export const isRegistry = (given: unknown): given is Registry =>
  typeof (given as Partial<Registry> | null)?.peek === 'function' && typeof (given as Registry).metrics === 'function';

/** The breakers of this moment. An iterator that can be walked once is walked once. */
export function lister(source: BreakerSource): () => Iterable<Watchable> {
  if (typeof source === 'function') {
    return () => {
      const listed = source();
      return isRegistry(listed) ? [listed] : listed;
    };
  }
  if (isRegistry(source)) return () => [source];
  if ((source as unknown) === source[Symbol.iterator]()) {
    const all = [...source];
    return () => all;
  }
  return () => source;
}

/** Hands out ids: the name, and a number after it where the name is taken. */
export class Ids {
  readonly #taken = new Set<string>();
  /** By name how many have it, and the number to try next: ten thousand of one name must not take ten thousand tries each. */
  readonly #bases = new Map<string, { count: number; next: number }>();
  readonly #baseOf = new Map<string, string>();

  take(name: string): string {
    const base = name.slice(0, 200) || 'unnamed';
    const known = this.#bases.get(base) ?? { count: 0, next: 2 };
    let id = base;
    while (this.#taken.has(id)) id = `${base}#${known.next++}`;
    known.count++;
    this.#bases.set(base, known);
    this.#taken.add(id);
    this.#baseOf.set(id, base);
    return id;
  }

  /** An id that can be no other. False if another has it. */
  claim(id: string): boolean {
    if (this.#taken.has(id)) return false;
    this.#taken.add(id);
    return true;
  }

  release(id: string): void {
    this.#taken.delete(id);
    const base = this.#baseOf.get(id);
    const known = base === undefined ? undefined : this.#bases.get(base);
    if (base === undefined || known === undefined) return;
    this.#baseOf.delete(id);
    if (--known.count === 0) this.#bases.delete(base);
    // Whoever comes next gets the number that is free: a breaker that is made anew keeps its own.
    else if (id !== base) known.next = Math.min(known.next, Number(id.slice(base.length + 1)));
  }
}
