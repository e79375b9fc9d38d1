import type { Tell, Told } from './follow.ts';

/** A window that is silent for more beats than this has crashed, or is stuck: what it does not take piles up. */
const silentBeats = 3;

/** A window, as the worker sees it: it says 1 with each beat and is answered 0; 0 is its goodbye. */
export interface Port {
  postMessage(message: Told | 0): void;
  onmessage: ((event: MessageEvent<0 | 1>) => unknown) | null;
}

interface Feed {
  readonly ports: Set<Port>;
  readonly source: { close(): void };
  begun: boolean;
}

/**
 * One stream for all windows of a browser. Whoever comes needs a snapshot, and has to be let in, so a stream is opened for it; as soon as
 * that has begun, all the others move over. Those that have one lose nothing if it does not begin.
 */
export class Share {
  readonly #open: (tell: Tell) => { close(): void };
  readonly #feeds = new Set<Feed>();
  /** The windows that are here, and the beats since each was heard. */
  readonly #silent = new Map<Port, number>();

  constructor(open: (tell: Tell) => { close(): void }) {
    this.#open = open;
  }

  enter(port: Port): void {
    port.onmessage = ({ data }) => {
      if (data === 0) return this.#leave(port);
      port.postMessage(0);
      // Also one that was given up and goes on.
      if (!this.#silent.has(port)) this.#join(port);
      this.#silent.set(port, 0);
    };
  }

  beat(): void {
    for (const [port, beats] of this.#silent) {
      if (beats < silentBeats) this.#silent.set(port, beats + 1);
      else this.#leave(port);
    }
  }

  #join(port: Port): void {
    const feed = [...this.#feeds].find(({ begun }) => !begun) ?? this.#begin();
    feed.ports.add(port);
  }

  #begin(): Feed {
    const feed: Feed = { ports: new Set(), begun: false, source: this.#open((told) => this.#tell(feed, told)) };
    this.#feeds.add(feed);
    return feed;
  }

  #tell(feed: Feed, told: Told): void {
    if (told[0] === 'snapshot') this.#moveTo(feed);
    for (const port of feed.ports) {
      port.postMessage(told);
      // It comes back when it has asked whether it may.
      if (told[0] === 'ended') this.#leave(port);
    }
  }

  #moveTo(feed: Feed): void {
    feed.begun = true;
    for (const other of this.#feeds) {
      if (other === feed) continue;
      for (const port of other.ports) feed.ports.add(port);
      this.#close(other);
    }
  }

  #leave(port: Port): void {
    this.#silent.delete(port);
    for (const feed of this.#feeds) if (feed.ports.delete(port) && feed.ports.size === 0) this.#close(feed);
  }

  #close(feed: Feed): void {
    this.#feeds.delete(feed);
    feed.source.close();
  }
}
