/** So many a second and no more: what strangers do must not flood somebody's log. */
export class Allowance {
  readonly #perSecond: number;
  readonly #now: () => number;
  #second = Number.NaN;
  #left = 0;

  constructor(perSecond: number, now: () => number) {
    this.#perSecond = perSecond;
    this.#now = now;
  }

  take(): boolean {
    const second = Math.floor(this.#now() / 1_000);
    if (second !== this.#second) [this.#second, this.#left] = [second, this.#perSecond];
    return this.#left-- > 0;
  }
}
