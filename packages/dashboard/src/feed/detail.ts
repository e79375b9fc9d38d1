import type { Detail } from '../protocol/detail.ts';
import { configurationOf } from './configuration.ts';
import type { Feed } from './feed.ts';
import { seriesOf } from './recent.ts';
import { RegistryWatch } from './registry-watch.ts';

/** All that is known of one breaker, or `undefined` if there is none of that id. */
export function detailOf(feed: Feed, id: string): Detail | undefined {
  const watch = feed.look(id);
  if (watch === undefined) return undefined;
  const { breaker, row, errors, updatedAt } = watch;
  const metrics = watch.metrics();
  const at = Math.round(feed.at());
  return {
    instance: feed.instance,
    id,
    at,
    row,
    startedAt: Math.round(at - process.uptime() * 1_000),
    explain: watch.explain(),
    metrics,
    series: seriesOf(watch, feed.series, Math.floor(at / 1_000)),
    entries: feed.journal.of(id, at),
    errors: errors.list(),
    configuration: breaker === undefined ? [] : configurationOf(breaker, metrics.window, updatedAt),
    ...(watch instanceof RegistryWatch ? { keys: watch.keys() } : {}),
  };
}
