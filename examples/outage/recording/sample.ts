import { draw } from './random.ts';
import type { Recording } from './recording.ts';

/** How far a recorded call may lie from the moment it stands for. */
const reachMs = 1_000;
/** How many calls on either side of the moment are drawn from. */
const neighbours = 4;

/** Picks the recorded call (its row) that stands for a call to `dependency` at `atMs`. */
export type Sampler = (dependency: number, atMs: number, call: number) => number;

/**
 * Draws from the calls of that dependency around that moment: up to four before and four after, none further than a second
 * away; where there are none, the nearest one. The same seed, call and moment give the same row, so that the bare and the
 * guarded caller live in the same world.
 */
export function sampler(recording: Recording, seed: number): Sampler {
  const rows: number[][] = recording.dependencies.map(() => []);
  for (const [row, dependency] of recording.dependency.entries()) rows[dependency]?.push(row);
  const at = (row: number | undefined) =>
    row === undefined ? Number.POSITIVE_INFINITY : (recording.startMs[row] as number);

  return (dependency, atMs, call) => {
    const own = rows[dependency] as number[];
    let [low, high] = [0, own.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (at(own[middle]) < atMs) low = middle + 1;
      else high = middle;
    }
    const split = low;
    while (low > 0 && split - low < neighbours && atMs - at(own[low - 1]) <= reachMs) low--;
    while (high < own.length && high - split < neighbours && at(own[high]) - atMs <= reachMs) high++;
    if (low === high) {
      const after = split < own.length && (split === 0 || at(own[split]) - atMs <= atMs - at(own[split - 1]));
      return own[after ? split : split - 1] as number;
    }
    return own[low + Math.floor(draw(seed, call) * (high - low))] as number;
  };
}
