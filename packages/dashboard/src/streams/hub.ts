import type { Clock } from 'recloser';
import { encoded, greeting } from './message.ts';
import type { Sink } from './sink.ts';

/** What is kept for readers that come back, and for those that begin with a snapshot of a moment ago. */
const keptMessages = 400;
const keptBytes = 2 * 1024 * 1024;
const snapshotForMs = 5_000;
/** A reader that has not caught up for so long, or is so far behind, is dropped: it may come back. */
const stuckMs = 20_000;
const behindBytes = 1024 * 1024;
/** After so long a stream ends and the reader comes back, so that whoever lost the right to read stops reading. */
const longestMs = 30 * 60_000;

interface Message {
  readonly seq: number;
  /** It tells of this instance, not of a peer. */
  readonly own: boolean;
  readonly bytes: Uint8Array;
}

/** A snapshot, and the moment it was taken. */
interface Opening {
  readonly seq: number;
  readonly bytes: Uint8Array;
  readonly at: number;
}

interface Reader {
  readonly sink: Sink;
  /** It is a peer, and wants to hear of this instance only: of the others it hears itself. */
  readonly own: boolean;
  readonly since: number;
  /** Bytes it may owe: the snapshot it began with comes on top. */
  readonly credit: number;
  stuckSince: number | undefined;
}

export interface HubOptions {
  readonly clock: Clock;
  readonly maxStreams: number;
  readonly snapshot: (own: boolean) => unknown;
}

/**
 * The open streams. A message is put into bytes once, whatever the number of readers, and its number is the id that a reader
 * comes back with.
 */
export class Hub {
  readonly #options: HubOptions;
  /** Ids of another life of the process mean nothing to this one. */
  readonly #life: string = crypto.randomUUID().slice(0, 8);
  readonly #readers = new Set<Reader>();
  #messages: Message[] = [];
  #bytes = 0;
  #seq = 0;
  readonly #snapshots = new Map<boolean, Opening>();
  /** How many readers were dropped for being slow. */
  dropped = 0;
  closed = false;

  constructor(options: HubOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#readers.size;
  }

  get full(): boolean {
    return this.size >= this.#options.maxStreams;
  }

  publish(event: string, data: unknown, own = true): void {
    const seq = ++this.#seq;
    const bytes = encoded(event, data, this.#id(seq));
    this.#messages.push({ seq, own, bytes });
    this.#bytes += bytes.length;
    while (this.#messages.length > keptMessages || this.#bytes > keptBytes) {
      this.#bytes -= (this.#messages.shift() as Message).bytes.length;
    }
    for (const reader of this.#readers) if (own || !reader.own) this.#send(reader, bytes);
  }

  /** Begins a stream: with what came after the id that the reader knows, if that is still there, else with a snapshot. */
  open(sink: Sink, lastEventId: string | undefined, own = false): void {
    // Those that asked when there was room may be more than there is room for.
    if (this.full || this.closed) {
      sink.close(true);
      return;
    }
    const known = this.#known(lastEventId);
    sink.write(greeting);
    let credit = 0;
    let from = known;
    if (from === undefined) {
      const { seq, bytes } = this.#freshSnapshot(own);
      sink.write(bytes);
      from = seq;
      credit = bytes.length;
    }
    for (const message of this.#messages) if (message.seq > from && (message.own || !own)) sink.write(message.bytes);
    const reader: Reader = {
      sink,
      own,
      since: this.#options.clock.now(),
      credit: credit + this.#bytes,
      stuckSince: undefined,
    };
    this.#readers.add(reader);
    sink.onClose(() => this.#readers.delete(reader));
  }

  close(): void {
    this.closed = true;
    for (const { sink } of this.#readers) sink.close();
    this.#readers.clear();
  }

  #send(reader: Reader, bytes: Uint8Array): void {
    const { sink, since, credit, stuckSince } = reader;
    const now = this.#options.clock.now();
    const owed = sink.buffered;
    if (owed === 0) reader.stuckSince = undefined;
    else reader.stuckSince ??= now;
    const slow = owed > behindBytes + credit || (stuckSince !== undefined && owed > 0 && now - stuckSince > stuckMs);
    try {
      if (!slow && now - since < longestMs) {
        sink.write(bytes);
        return;
      }
      if (slow) this.dropped++;
      this.#readers.delete(reader);
      sink.close(slow);
    } catch {
      // A body that its server has ended without telling: the others must not pay for it.
      this.#readers.delete(reader);
    }
  }

  #id(seq: number): string {
    return `${this.#life}-${seq}`;
  }

  /** The number of the last message that a reader has seen, if all that followed is still there. */
  #known(lastEventId: string | undefined): number | undefined {
    const [, life, digits] = /^([\w]{8})-(\d{1,15})$/.exec(lastEventId ?? '') ?? [];
    const seq = Number(digits);
    if (life !== this.#life || !(seq <= this.#seq)) return undefined;
    const oldest = this.#messages[0]?.seq ?? this.#seq + 1;
    return seq >= oldest - 1 ? seq : undefined;
  }

  #freshSnapshot(own: boolean): Opening {
    const now = this.#options.clock.now();
    const kept = this.#snapshots.get(own);
    const oldest = this.#messages[0]?.seq ?? this.#seq + 1;
    if (kept !== undefined && now - kept.at < snapshotForMs && kept.seq >= oldest - 1) return kept;
    const bytes = encoded('snapshot', this.#options.snapshot(own), this.#id(this.#seq));
    const fresh = { seq: this.#seq, at: now, bytes };
    this.#snapshots.set(own, fresh);
    return fresh;
  }
}
