import type { GridPos } from '@grafana/grafana-foundation-sdk/dashboard';
import { describe, expect, test } from 'vitest';
import { dashboardText } from '../../scripts/operations/dashboard.ts';
import { dashboard, panels, targets, written } from './files.ts';
import { faultsOf } from './grafana-schema.ts';

describe('the Grafana dashboard', () => {
  test('is what the script generates today (npm run docs:operations)', () => {
    expect(written).toBe(dashboardText());
  });

  test('is valid by the schema of Grafana, of its kinds of panels and of Prometheus', () => {
    expect(faultsOf(dashboard)).toEqual([]);
  });

  test.each([
    ['a wrong type', 'schemaVersion', '39'],
    ['a field that does not exist', 'panels.1.gridpos', {}],
    ['a kind of panel that it does not know', 'panels.1.type', 'graph'],
    ['an option that its panel does not have', 'panels.1.options.graphMode', 'curve'],
    ['a query in words that its source does not know', 'panels.1.targets.0.expression', 'up'],
    ['a style that curves do not have', 'panels.9.fieldConfig.defaults.custom.drawStyle', 'pie'],
  ])('the schema tells %s', (_what, path, value) => {
    const copy = structuredClone(dashboard);
    const names = path.split('.');
    const last = names.pop() as string;
    let at = copy as unknown as Record<string, unknown>;
    for (const name of names) at = at[name] as Record<string, unknown>;
    at[last] = value;
    expect(faultsOf(copy)).not.toEqual([]);
  });

  test('no panel lies on another, and none leaves the grid', () => {
    const places = (dashboard.panels ?? []).map(({ gridPos }) => gridPos as GridPos);
    for (const [i, a] of places.entries()) {
      expect(a.x + a.w).toBeLessThanOrEqual(24);
      for (const b of places.slice(i + 1)) {
        const apart = a.x + a.w <= b.x || b.x + b.w <= a.x || a.y + a.h <= b.y || b.y + b.h <= a.y;
        expect(apart, `${JSON.stringify(a)} ${JSON.stringify(b)}`).toBe(true);
      }
    }
    expect(new Set(dashboard.panels?.map(({ id }) => id)).size).toBe(places.length);
  });

  test('every panel says what it shows, asks the chosen source, and heeds what was chosen', () => {
    for (const { title, description, datasource } of panels) {
      expect(description, title).toMatch(/\.$/);
      expect(datasource, title).toEqual({ type: 'prometheus', uid: '$datasource' });
    }
    for (const { expr } of targets) {
      expect(expr).toContain('job=~"$job"');
      if (!expr.includes('overflows')) expect(expr).toContain('name=~"$name"');
    }
    expect(dashboard.templating.list?.map(({ name }) => name)).toEqual(['datasource', 'job', 'name']);
  });
});
