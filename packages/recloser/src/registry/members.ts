import type { Snapshot } from '../breaker/snapshot.ts';
import { Layer } from '../core/layer.ts';
import type { RegistryEvents } from './events.ts';
import type { Member } from './member.ts';
import { join, leave, ring } from './ring.ts';

const overflowName = '_overflow';
/** Longer names share the overflow breaker: who chooses a key must not choose how much memory it takes. */
const longestName = 1_024;
/** How many of the breakers passed over before are looked at again, whenever room is needed. */
const secondLooks = 16;

/**
 * Which breakers are kept: `maxEntries` by name, besides `_overflow`. When there is no room, the least recently used idle one is evicted.
 * That takes O(1), whatever their number: those that are passed over stand aside until they are used, and only a few of them are looked at
 * again each time.
 */
export abstract class Members extends Layer<RegistryEvents> {
  protected evicted = 0;
  protected overflowed = 0;
  /** Unless `no`, no others are made. */
  ending: 'no' | 'draining' | 'disposed' = 'no';
  readonly #byName = new Map<string, Member>();
  /** Both from the least recently used on; what stands aside is older than the rest. */
  readonly #aside = ring();
  readonly #inUse = ring();
  #overflow: Member | undefined = undefined;

  protected abstract readonly maxEntries: number;
  protected abstract make(name: string, restore: Snapshot | undefined): Member;
  /** One is no longer kept. */
  protected abstract letGo(member: Member): void;

  get size(): number {
    return this.#byName.size + (this.#overflow === undefined ? 0 : 1);
  }

  peek(name: string): Member | undefined {
    return name === overflowName ? this.#overflow : this.#byName.get(name);
  }

  get(name: string): Member {
    const member = this.#byName.get(name);
    if (member === undefined) return this.add(name);
    if (member.newer !== this.#inUse) join(member, this.#inUse);
    return member;
  }

  /** `_overflow`, then the others from the least recently used on. */
  protected all(): Member[] {
    const all = this.#overflow === undefined ? [] : [this.#overflow];
    for (const ring of [this.#aside, this.#inUse]) {
      for (let link = ring.newer; link !== ring; link = link.newer) all.push(link as Member);
    }
    return all;
  }

  *[Symbol.iterator](): IterableIterator<readonly [string, Member]> {
    for (const member of this.all()) yield [member.name, member];
  }

  protected add(name: string, restore?: Snapshot): Member {
    if (typeof name !== 'string') throw new TypeError(`${this.name}: a key must be a string, got ${typeof name}`);
    if (name === overflowName || name.length > longestName || this.ending !== 'no') return this.#spill(name, restore);
    if (this.#isFull) {
      const idlest = this.#idlest();
      if (idlest === undefined) return this.#spill(name);
      this.evicted++;
      this.#drop(idlest, 'evicted');
      // A listener may have taken the place.
      if (this.#isFull) return this.#byName.get(name) ?? this.#spill(name);
    }
    // A slice would keep alive the whole of what it was cut from (V8).
    const member = this.make(JSON.parse(JSON.stringify(name)), restore);
    this.#byName.set(member.name, member);
    join(member, this.#inUse);
    this.#tell('added', name);
    return member;
  }

  get #isFull(): boolean {
    return this.#byName.size >= this.maxEntries;
  }

  #spill(name: string, restore?: Snapshot): Member {
    this.overflowed++;
    if (this.#overflow === undefined) {
      this.#overflow = this.make(overflowName, name === overflowName ? restore : undefined);
      this.#tell('added', overflowName);
    }
    return this.#overflow;
  }

  #idlest(): Member | undefined {
    const aside = this.#aside;
    let looks = 0;
    for (let link = aside.newer; link !== aside && looks < secondLooks; link = link.newer) {
      if ((link as Member).idle) return link as Member;
      looks++;
    }
    // Next time it is the turn of others.
    for (; looks > 0; looks--) join(aside.newer, aside);
    for (let link = this.#inUse.newer; link !== this.#inUse; link = this.#inUse.newer) {
      if ((link as Member).idle) return link as Member;
      join(link, aside);
    }
    return undefined;
  }

  delete(name: string): boolean {
    const member = this.peek(name);
    if (member !== undefined) this.#drop(member, 'removed');
    return member !== undefined;
  }

  #drop(member: Member, event: 'evicted' | 'removed'): void {
    if (member === this.#overflow) this.#overflow = undefined;
    this.#byName.delete(member.name);
    leave(member);
    this.letGo(member);
    this.#tell(event, member.name);
  }

  #tell(event: 'added' | 'evicted' | 'removed', name: string): void {
    this.tell(event, { registry: this.name, name, size: this.size });
  }
}
