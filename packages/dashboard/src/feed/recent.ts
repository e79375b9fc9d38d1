import { fields, keptSeconds, type Point, type SeriesStore } from '../history/series-store.ts';
import type { Series } from '../protocol/detail.ts';
import type { Recent } from '../protocol/messages.ts';
import type { Row } from '../protocol/row.ts';
import { severityOf } from '../protocol/severity.ts';
import type { Watched } from './watch.ts';

const recentSeconds = 60;
const recentRows = 200;

/** Keeps the second that is over. Quiet seconds of a closed breaker take no place before its first busy one. */
export function writeSecond(store: SeriesStore, { row, series }: Watched, second: number): void {
  const quiet = row.state === 'closed' && row.ok + row.failed + row.refused === 0;
  if (quiet && !store.has(series, second)) return;
  const point: Record<keyof Point, number> = {
    ok: row.ok,
    failed: row.failed,
    refused: row.refused,
    value: row.calls === 0 ? Number.NaN : row.value,
    threshold: row.threshold,
    p50: row.p50 ?? Number.NaN,
    p95: row.p95 ?? Number.NaN,
  };
  store.write(series, second, point);
}

/** The last minute of the rows that matter most: what the page draws beside their names. */
export function recentOf(
  watches: ReadonlyMap<string, Watched>,
  store: SeriesStore,
  now: number,
): Record<string, Recent> {
  const weight = (row: Row): number => severityOf(row.state) * 1e9 + row.refused * 1e3 + row.ok + row.failed;
  const ranked = [...watches.values()].filter(({ series }) => series.held.length > 0);
  if (ranked.length > recentRows) ranked.sort((a, b) => weight(b.row) - weight(a.row));
  const list = (watch: Watched, field: 'ok' | 'failed' | 'refused'): number[] =>
    Array.from(store.read(watch.series, field, now - recentSeconds, now), (n) =>
      Number.isNaN(n) ? 0 : Math.round(n * 10) / 10,
    );
  return Object.fromEntries(
    ranked
      .slice(0, recentRows)
      .map((watch) => [
        watch.id,
        { ok: list(watch, 'ok'), failed: list(watch, 'failed'), refused: list(watch, 'refused') },
      ]),
  );
}

/** All that is kept of one breaker, from its first second on. */
export function seriesOf({ series }: Watched, store: SeriesStore, now: number): Series {
  const first = series.held[0] === undefined ? now : series.held[0].minute * 60;
  const from = Math.max(first, now - keptSeconds);
  const list = (field: keyof Point): (number | null)[] =>
    Array.from(store.read(series, field, from, now), (n) => (Number.isNaN(n) ? null : Number(n.toPrecision(4))));
  const lists = Object.fromEntries(fields.map((field) => [field, list(field)])) as Record<
    keyof Point,
    (number | null)[]
  >;
  return { seconds: Array.from({ length: now - from }, (_, i) => from + i), ...lists };
}
