import { defaults } from '../breakers.ts';
import { outcomes, type Recording } from './recording.ts';

export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Windows that come this close to the best one are as good. */
const asGood = 0.97;

/**
 * The most eventful window of this length among the calls from `first` up to, not including, `end`: the one in which
 * dependencies change most; where nothing ever happens, the busiest. One with n calls, k of them bad, adds
 * k·(n + 1 − k)/(n + 1): hours of being down weigh next to nothing, the minutes of going down most, and one bad call that
 * stands alone a little. Of a row of windows that are as good, the middle one: then the event is not at the edge.
 */
export function mostEventful(recording: Recording, first: number, end: number, lengthMs: number): Span {
  const startMs = (row: number) => recording.startMs[row] as number;
  const latest = Math.max(startMs(first), startMs(end - 1) - lengthMs);
  // Each call is once the middle of a window.
  const begin = (row: number) => Math.min(Math.max(startMs(row) - lengthMs / 2, startMs(first)), latest);
  const score = changeScore(recording);
  const changes = new Float64Array(end - first);
  const calls = new Float64Array(end - first);
  let [low, high] = [first, first];
  for (let row = first; row < end; row++) {
    while (high < end && startMs(high) <= begin(row) + lengthMs) score.add(high++);
    while (startMs(low) < begin(row)) score.remove(low++);
    changes[row - first] = score.value();
    calls[row - first] = high - low;
  }
  const [from, to] = peak(changes.some((value) => value > 1e-6) ? changes : calls);
  const fromMs = Math.floor((begin(first + from) + begin(first + to)) / 2);
  return { fromMs, toMs: fromMs + lengthMs };
}

/** The row of values around the highest one that are as good. */
function peak(values: Float64Array): [from: number, to: number] {
  const best = values.reduce((highest, value, i) => (value > (values[highest] as number) ? i : highest), 0);
  const good = (i: number) => (values[i] ?? -1) >= asGood * (values[best] as number);
  let [from, to] = [best, best];
  while (good(from - 1)) from--;
  while (good(to + 1)) to++;
  return [from, to];
}

/** A slow call is a quarter of a failed one: where calls are few, slow ones may be all that was ever normal. */
const slowWeight = 0.25;

/** Bad is what a breaker could see: an error or a timeout, or a slow call. */
function changeScore(recording: Recording) {
  const failed = counter(recording.dependencies.length);
  const slow = counter(recording.dependencies.length);
  const move = (row: number, by: 1 | -1): void => {
    const dependency = recording.dependency[row] as number;
    const ms = recording.durationMs[row] as number;
    const isFailed = outcomes[recording.outcome[row] as number] === 'error' || ms >= defaults.timeoutMs;
    failed.move(dependency, isFailed, by);
    slow.move(dependency, !isFailed && ms >= defaults.slowCalls.slowCallMs, by);
  };
  return {
    add: (row: number) => move(row, 1),
    remove: (row: number) => move(row, -1),
    value: () => failed.changes() + slowWeight * slow.changes(),
  };
}

function counter(dependencies: number) {
  const calls = new Uint32Array(dependencies);
  const bad = new Uint32Array(dependencies);
  let total = 0;
  const changes = (d: number): number => {
    const [n, k] = [calls[d] as number, bad[d] as number];
    return (k * (n + 1 - k)) / (n + 1);
  };
  return {
    changes: () => total,
    move(d: number, isBad: boolean, by: 1 | -1): void {
      total -= changes(d);
      calls[d] = (calls[d] as number) + by;
      if (isBad) bad[d] = (bad[d] as number) + by;
      total += changes(d);
    },
  };
}
