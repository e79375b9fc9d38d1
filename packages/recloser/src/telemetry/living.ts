/** A member of a group, held weakly, with whatever else is kept of it there. */
export interface Held<One extends object> {
  readonly ref: WeakRef<One>;
}

interface Place<H, G> {
  readonly group: G;
  readonly held: H;
}

/** Groups of objects that others hold: to be in one keeps no object alive, and one that is garbage-collected has left it. */
export class Living<One extends object, H extends Held<One>, G extends { readonly members: Set<H> }> {
  readonly #placeOf = new WeakMap<One, Place<H, G>>();
  readonly #emptied: (group: G) => void;
  readonly #collected = new FinalizationRegistry<Place<H, G>>((place) => this.#leave(place));

  /** @param emptied is told when the last member of a group has left */
  constructor(emptied: (group: G) => void) {
    this.#emptied = emptied;
  }

  /** Whether it is in a group, or once was. */
  knows(one: One): boolean {
    return this.#placeOf.has(one);
  }

  add(one: One, group: G, held: H): void {
    const place = { group, held };
    group.members.add(held);
    this.#placeOf.set(one, place);
    this.#collected.register(one, place);
  }

  /** Answers with the place it had. */
  remove(one: One): Place<H, G> | undefined {
    const place = this.#placeOf.get(one);
    if (place !== undefined) this.#leave(place);
    return place;
  }

  #leave({ group, held }: Place<H, G>): void {
    if (group.members.delete(held) && group.members.size === 0) this.#emptied(group);
  }
}
