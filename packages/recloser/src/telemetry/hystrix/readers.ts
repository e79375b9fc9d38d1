/** One open stream. */
export interface Reader {
  /** Answers false if it takes no more for now: `drained` of what `add` answered says when it does. */
  write(chunk: Uint8Array): boolean;
  end(): void;
  /** Ends it and gives up what it has not taken. */
  cut(): void;
}

interface Place {
  readonly reader: Reader;
  /** Since when it takes no more. */
  fullSince: number | undefined;
}

/** A reader that takes nothing for so long is dropped. */
const stuckMs = 10_000;

/**
 * The open streams. Messages tell how things are and not what has changed, so whoever has not taken the last ones misses the next: no
 * reader is owed more than what one turn writes.
 */
export class Readers {
  readonly #places = new Set<Place>();

  get size(): number {
    return this.#places.size;
  }

  add(reader: Reader): { readonly drained: () => void; readonly gone: () => void } {
    const place: Place = { reader, fullSince: undefined };
    this.#places.add(place);
    return {
      drained: () => void (place.fullSince = undefined),
      gone: () => void this.#places.delete(place),
    };
  }

  send(chunk: Uint8Array, now: number): void {
    for (const place of this.#places) {
      const { reader, fullSince } = place;
      if (fullSince === undefined) {
        if (!reader.write(chunk)) place.fullSince = now;
      } else if (now - fullSince >= stuckMs) {
        this.#places.delete(place);
        reader.cut();
      }
    }
  }

  end(): void {
    for (const { reader } of this.#places) reader.end();
    this.#places.clear();
  }
}
