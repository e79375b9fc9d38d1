import type { Recent } from './messages.ts';
import type { Row } from './row.ts';

/** The last minute of one row, the newest last. */
export interface Minute {
  readonly ok: number[];
  readonly failed: number[];
  readonly refused: number[];
}

const seconds = 60;

export const minuteFrom = ({ ok, failed, refused }: Recent): Minute => ({
  ok: [...ok],
  failed: [...failed],
  refused: [...refused],
});

/** All calls of each second. */
export const callsOf = ({ ok, failed, refused }: Recent): number[] =>
  ok.map((n, i) => n + (failed[i] ?? 0) + (refused[i] ?? 0));

/** A second more of each row, of at most so many; a row without calls for a minute is not remembered. Answers the most calls of any. */
export function remember(rows: Iterable<Row>, recent: Map<string, Minute>, most: number = Infinity): number {
  let top = 0;
  for (const { id, ok, failed, refused } of rows) {
    const calls = ok + failed + refused;
    top = Math.max(top, calls);
    let minute = recent.get(id);
    if (minute === undefined) {
      if (calls === 0 || recent.size >= most) continue;
      minute = { ok: [], failed: [], refused: [] };
      recent.set(id, minute);
    }
    for (const [list, value] of [
      [minute.ok, ok],
      [minute.failed, failed],
      [minute.refused, refused],
    ] as const) {
      list.push(value);
      if (list.length > seconds) list.shift();
    }
    if (calls === 0 && callsOf(minute).every((n) => n === 0)) recent.delete(id);
  }
  return top;
}
