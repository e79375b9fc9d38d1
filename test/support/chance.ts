/** Numbers by chance from one seed (Mulberry32): the same every time. */
export function chance(seed: number) {
  let state = seed >>> 0;
  const unit = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
  return {
    /** From 0 up to 1. */
    unit,
    /** Milliseconds until the next of so many a second (Poisson). */
    gap: (perSecond: number): number => (-Math.log(1 - unit()) * 1_000) / perSecond,
    /** Of mean 0 and deviation 1 (Box and Muller). */
    normal: (): number => Math.sqrt(-2 * Math.log(1 - unit())) * Math.cos(2 * Math.PI * unit()),
  };
}

export type Chance = ReturnType<typeof chance>;
