import { beforeAll, describe, expect, test } from 'vitest';
import { expressions, recorded } from './files.ts';
import { readQuery } from './promql.ts';
import { scrape } from './scrape.ts';

/** Labels that Prometheus itself adds. */
const added = ['job', 'instance', '__name__'];

describe('what the dashboard and the alerts ask for', () => {
  /** Labels by metric, as a real scrape has them. */
  const exposed = new Map<string, Set<string>>();
  beforeAll(async () => {
    for (const line of (await scrape()).split('\n')) {
      const [, metric, labels = ''] = /^(recloser_\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
      if (metric === undefined) continue;
      const known = exposed.get(metric) ?? new Set();
      for (const [, label] of labels.matchAll(/(\w+)="/g)) known.add(label as string);
      exposed.set(metric, known);
    }
  });

  test.each(expressions)('%s: a scrape has every metric and every label', (_place, expr) => {
    const { selectors, grouping } = readQuery(expr);
    const asked = selectors.filter(({ metric }) => !recorded.includes(metric));
    for (const { metric, labels } of asked) {
      expect([...exposed.keys()]).toContain(metric);
      for (const label of labels) expect([...added, ...(exposed.get(metric) ?? [])], metric).toContain(label);
    }
    const all = asked.flatMap(({ metric }) => [...(exposed.get(metric) ?? [])]);
    for (const label of asked.length > 0 ? grouping : []) expect([...added, ...all]).toContain(label);
  });

  test('no metric of ours is left out of the dashboard but the one that counts all other events, and the time that transitions show anyway', () => {
    const shown = new Set(
      expressions.flatMap(([, expr]) => readQuery(expr).selectors.map(({ metric }) => familyOf(metric))),
    );
    const missing = [...exposed.keys()].map(familyOf).filter((family) => !shown.has(family));
    expect([...new Set(missing)]).toEqual([
      'recloser_circuit_breaker_last_transition_timestamp_seconds',
      'recloser_policy_events_total',
    ]);
  });
});

const familyOf = (metric: string): string => metric.replace(/_(bucket|sum|count)$/, '');
