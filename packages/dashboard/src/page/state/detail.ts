import { effect, type Signal, signal } from '@preact/signals';
import type { Detail, Series } from '../../protocol/detail.ts';
import { detailOf } from './api.ts';
import { drawn, entries, groups, incident, instances, paused, route, self, session, skewMs } from './store.ts';

/** The breaker whose details are shown, as far as they have come in; `missing` if nobody knows it. */
export const detail: Signal<Detail | 'loading' | 'missing'> = signal('loading');

const keptSeconds = 900;
const refreshMs = 5_000;
let loading: AbortController | undefined;
let loadedAt = 0;

/** The instance that was asked for, else the one that is worst off. */
function instanceOf(): string | undefined {
  const { id, instance } = route.peek();
  return instance ?? groups.peek().find((group) => group.id === id)?.instance;
}

async function load(): Promise<void> {
  const { id } = route.peek();
  if (id === undefined) return;
  loading?.abort();
  const own = new AbortController();
  loading = own;
  loadedAt = Date.now();
  const found = await detailOf(id, instanceOf()).catch(() => undefined);
  if (own.signal.aborted) return;
  if (found !== undefined) detail.value = found;
  else if (detail.peek() === 'loading' || (detail.peek() as Detail).id !== id) detail.value = 'missing';
}

effect(() => {
  const { id, instance } = route.value;
  const shown = detail.peek();
  if (typeof shown === 'object' && (shown.id !== id || (instance !== undefined && shown.instance !== instance))) {
    detail.value = 'loading';
  }
  incident.value;
  self.value;
  if (id === undefined) detail.value = 'loading';
  else void load();
});

effect(() => {
  drawn.value;
  const shown = detail.peek();
  if (incident.peek() !== undefined || session.peek()?.recorded || paused.peek()) return;
  if (route.peek().id === undefined || document.hidden) return;
  if (typeof shown !== 'object') {
    if (Date.now() - loadedAt > refreshMs) void load();
    return;
  }
  const last = entries.findLast((entry) => entry.id === shown.id && entry.instance === shown.instance);
  const stale = Date.now() - loadedAt;
  const isNews = last !== undefined && last.at > shown.at && stale > 200;
  if (isNews || stale > refreshMs) void load();
  append(shown);
});

/** Takes up the second that is over, so that the curves go on between two loads. */
function append(shown: Detail): void {
  const row = instances.get(shown.instance)?.rows.get(shown.id);
  const second = Math.floor((Date.now() + skewMs.peek()) / 1_000) - 1;
  const { series } = shown;
  const before = series.seconds.at(-1) ?? second - 1;
  if (row === undefined || second <= before) return;
  const point = {
    seconds: second,
    ...{ ok: row.ok, failed: row.failed, refused: row.refused },
    ...{
      value: row.calls === 0 ? null : row.value,
      threshold: row.threshold,
      p50: row.p50 ?? null,
      p95: row.p95 ?? null,
    },
  };
  const next = Object.fromEntries(
    Object.entries(series).map(([key, list]) => [key, [...list, point[key as keyof typeof point]].slice(-keptSeconds)]),
  ) as unknown as Series;
  detail.value = { ...shown, row, explain: row.explain ?? shown.explain, series: next };
}
