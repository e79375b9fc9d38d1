/** Somebody who stands in a group, held weakly, with what else is kept of him there. */
export interface Held<One extends object> {
  readonly ref: WeakRef<One>;
}

interface Place<H, G> {
  readonly group: G;
  readonly held: H;
}

/** Groups of what others hold: to stand in one keeps nobody alive, and whoever is collected as garbage has left it. */
export class Living<One extends object, H extends Held<One>, G extends { readonly members: Set<H> }> {
  readonly #placeOf = new WeakMap<One, Place<H, G>>();
  readonly #emptied: (group: G) => void;
  readonly #collected = new FinalizationRegistry<Place<H, G>>((place) => this.#leave(place));

  /** @param emptied told when the last of a group has left */
  constructor(emptied: (group: G) => void) {
    this.#emptied = emptied;
  }

  /** Whether it stands in a group, or once did. */
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
