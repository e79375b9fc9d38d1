/** Where one stands, or stood. */
interface Place<One extends object, Group> {
  readonly group: Group;
  readonly held: WeakRef<One>;
}

/** Groups of what others hold: to stand in one keeps nobody alive, and whoever is collected as garbage has left it. */
export class Living<One extends object, Group extends object> {
  readonly #placeOf = new WeakMap<One, Place<One, Group>>();
  readonly #members = new WeakMap<Group, Set<WeakRef<One>>>();
  readonly #emptied: (group: Group) => void;
  readonly #collected = new FinalizationRegistry<Place<One, Group>>((place) => this.#leave(place));

  /** @param emptied told when the last of a group has left */
  constructor(emptied: (group: Group) => void) {
    this.#emptied = emptied;
  }

  /** Whether it stands in a group, or once did. */
  knows(one: One): boolean {
    return this.#placeOf.has(one);
  }

  add(one: One, group: Group): void {
    const place = { group, held: new WeakRef(one) };
    const members = this.#members.get(group) ?? new Set();
    this.#placeOf.set(one, place);
    this.#members.set(group, members.add(place.held));
    this.#collected.register(one, place);
  }

  remove(one: One): void {
    const place = this.#placeOf.get(one);
    if (place !== undefined) this.#leave(place);
  }

  #leave({ group, held }: Place<One, Group>): void {
    const members = this.#members.get(group);
    if (members?.delete(held) && members.size === 0) this.#emptied(group);
  }

  *of(group: Group): Iterable<One> {
    for (const held of this.#members.get(group) ?? []) {
      const one = held.deref();
      if (one !== undefined) yield one;
    }
  }
}
