import type { Window } from './window.ts';

/** The last N calls in a ring: one byte a call, constant time whatever N. */
export class CountWindow implements Window {
  calls = 0;
  hits = 0;
  readonly #ring: Uint8Array;
  #next = 0;

  constructor(size: number) {
    this.#ring = new Uint8Array(size);
  }

  add(hit: boolean): void {
    const ring = this.#ring;
    const at = this.#next;
    if (this.calls === ring.length) this.hits -= ring[at] as number;
    else this.calls++;
    ring[at] = hit ? 1 : 0;
    if (hit) this.hits++;
    this.#next = at + 1 === ring.length ? 0 : at + 1;
  }

  count(): { calls: number; hits: number } {
    return { calls: this.calls, hits: this.hits };
  }

  clear(): void {
    this.calls = this.hits = this.#next = 0;
  }

  /** A string of 0 and 1, the oldest call first. */
  toJSON(): string {
    const size = this.#ring.length;
    const oldest = this.calls === size ? this.#next : 0;
    let text = '';
    for (let i = 0; i < this.calls; i++) text += this.#ring[(oldest + i) % size];
    return text;
  }

  /** Takes up what another window wrote, the newest calls if that one was longer. */
  static restore(size: number, saved: unknown): CountWindow {
    if (typeof saved !== 'string' || /[^01]/.test(saved)) throw new TypeError('a count window is a string of 0 and 1');
    const window = new CountWindow(size);
    for (const bit of saved) window.add(bit === '1');
    return window;
  }
}
