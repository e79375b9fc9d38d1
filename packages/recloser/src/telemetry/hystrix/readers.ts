/** One open stream. */
export interface Reader {
  /** Returns false if it takes no more for now; `drained`, which `add` answers with, is called when it does again. */
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

/** After how long a reader that takes nothing is dropped. */
const stuckMs = 10_000;

/**
 * The open streams. Messages tell how things are, not what has changed, so a reader that has not taken the last ones is not sent the next:
 * no more is ever buffered for it than one turn writes.
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
