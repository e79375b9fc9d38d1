import { readFileSync } from 'node:fs';
import type { Dashboard, Panel } from '@grafana/grafana-foundation-sdk/dashboard';
import type { Dataquery } from '@grafana/grafana-foundation-sdk/prometheus';
import { parse } from 'yaml';
import { dashboardFile } from '../../scripts/operations/dashboard.ts';

export interface Rule {
  readonly record?: string;
  readonly alert?: string;
  readonly expr: string;
  readonly for?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export const alertsFile = 'docs/operations/alerts.yml';
const { groups } = parse(readFileSync(alertsFile, 'utf8')) as { groups: { rules: Rule[] }[] };
const rules: readonly Rule[] = groups.flatMap((group) => group.rules);
export const alerts = rules.filter((rule): rule is Rule & { alert: string } => rule.alert !== undefined);
export const recorded = rules.flatMap(({ record }) => record ?? []);

export const written: string = readFileSync(dashboardFile, 'utf8');
export const dashboard = JSON.parse(written) as Dashboard;
export const panels = (dashboard.panels ?? []).filter((panel): panel is Panel => panel.type !== 'row');
export const targets = panels.flatMap((panel) => (panel.targets ?? []) as Dataquery[]);

/** Every expression with the place it stands in. */
export const expressions: readonly (readonly [place: string, expr: string])[] = [
  ...panels.flatMap(({ title, targets = [] }) =>
    (targets as Dataquery[]).map(({ expr }) => [`dashboard: ${title}`, expr] as const),
  ),
  ...(dashboard.annotations.list ?? []).map(({ name, expr = '' }) => [`annotation: ${name}`, expr] as const),
  ...rules.map(({ record, alert, expr }) => [`rule: ${alert ?? record}`, expr] as const),
];
