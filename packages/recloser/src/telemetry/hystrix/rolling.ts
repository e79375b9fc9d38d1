/** Figures that only grow. */
export interface Totals {
  success: number;
  failed: number;
  timedOut: number;
  ignored: number;
  rejected: number;
  /** Of the rejected those for want of a place. */
  full: number;
  fellBack: number;
  /** Of those the ones whose fallback had no answer. */
  fallbackFailed: number;
}

export const none: Readonly<Totals> = {
  success: 0,
  failed: 0,
  timedOut: 0,
  ignored: 0,
  rejected: 0,
  full: 0,
  fellBack: 0,
  fallbackFailed: 0,
};
const figures = Object.keys(none) as readonly (keyof Totals)[];

/** Adds the growth from `before` to `after`. */
export function addGrowth(sum: Totals, before: Totals, after: Totals): void {
  for (const figure of figures) sum[figure] += Math.max(0, after[figure] - before[figure]);
}

/** As of Hystrix's default, `metrics.rollingStats.timeInMilliseconds`. */
export const windowMs = 10_000;
const everyMs = 500;

interface Reading {
  at: number;
  readonly totals: Totals;
  readonly inFlight: number;
}

/** What figures have grown by in the last ten seconds, from readings half a second apart. */
export class Rolling {
  readonly #readings: Reading[] = [];

  /** The growth up to this reading, and the most calls at work that were seen. */
  take(at: number, totals: Totals, inFlight: number): { readonly grown: Totals; readonly mostInFlight: number } {
    const readings = this.#readings;
    while (readings.length > 1 && at - (readings[0] as Reading).at > windowMs + everyMs / 2) readings.shift();
    const [first] = readings;
    const grown = { ...none };
    if (first !== undefined) addGrowth(grown, first.totals, totals);
    const mostInFlight = Math.max(inFlight, ...readings.map((reading) => reading.inFlight));
    const last = readings.at(-1);
    const isIdle = readings.length === 1 && inFlight === 0 && last?.inFlight === 0 && figures.every((f) => !grown[f]);
    // Nothing has happened since the only reading: it is as good as a new one. Thousands of idle breakers keep one each.
    if (isIdle) last.at = at;
    else if (last === undefined || at - last.at >= everyMs) readings.push({ at, totals, inFlight });
    return { grown, mostInFlight };
  }
}
