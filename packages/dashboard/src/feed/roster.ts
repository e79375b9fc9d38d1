import type { CircuitBreaker } from 'recloser';

/** Where the breakers come from: a collection, a registry, or a function that lists them. */
export type BreakerSource = Iterable<CircuitBreaker> | (() => Iterable<CircuitBreaker>);

/** The breakers of this moment. An iterator that can be walked once is walked once. */
export function lister(source: BreakerSource): () => Iterable<CircuitBreaker> {
  if (typeof source === 'function') return source;
  if ((source as unknown) === source[Symbol.iterator]()) {
    const all = [...source];
    return () => all;
  }
  return () => source;
}

/** Hands out ids: the name, and a number after it where the name is taken. */
export class Ids {
  readonly #taken = new Set<string>();

  take(name: string): string {
    const base = name.slice(0, 200) || 'unnamed';
    let id = base;
    for (let n = 2; this.#taken.has(id); n++) id = `${base}#${n}`;
    this.#taken.add(id);
    return id;
  }

  release(id: string): void {
    this.#taken.delete(id);
  }
}
