import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { alerts, expressions, panels } from './files.ts';
import { readQuery } from './promql.ts';

const runbook = readFileSync('docs/operations/runbook.md', 'utf8');
const sections = new Map(
  runbook
    .split(/^## /m)
    .slice(1)
    .map((text) => [text.slice(0, text.indexOf('\n')), text] as const),
);

describe('the alerts', () => {
  test.each(alerts)('$alert says what is the matter, and where the runbook tells what to do', ({ alert, ...rule }) => {
    const { summary, description, runbook_url } = rule.annotations ?? {};
    expect(summary).toBeTruthy();
    expect(description).toMatch(/\.$/);
    expect(runbook_url).toBe(`https://runbooks.example/recloser/runbook.md#${alert.toLowerCase()}`);
    expect(['page', 'ticket', 'info']).toContain(rule.labels?.severity);
    const section = sections.get(alert);
    expect(section).toMatch(/^What it means/m);
    expect(section?.match(/^\d\. /gm)?.slice(0, 3)).toEqual(['1. ', '2. ', '3. ']);
    expect(section).toMatch(/^What to do/m);
  });

  test('the runbook has no section of an alert that is gone', () => {
    expect([...sections.keys()].sort()).toEqual([...new Set(alerts.map(({ alert }) => alert))].sort());
  });
});

test('what the runbook calls a panel is one of the dashboard', () => {
  const named = [
    ...new Set([...runbook.matchAll(/\*([A-Z][^*]+)\*/g)].map(([, name]) => (name as string).replace(/\s+/g, ' '))),
  ];
  const titles = [...panels.map(({ title }) => title ?? ''), 'Duration'];
  expect(titles.some((title) => title.startsWith('Duration, p'))).toBe(true);
  expect(named.length).toBeGreaterThan(8);
  expect(named.filter((name) => !titles.includes(name) && name !== 'Annotations')).toEqual([]);
});

describe('PromQL', () => {
  test.each(expressions)('of %s is well-formed', (_place, expr) => {
    const { faults, selectors } = readQuery(expr);
    expect(faults).toEqual([]);
    expect(selectors.length).toBeGreaterThan(0);
  });

  test('that is not well-formed is told', () => {
    expect(readQuery('sum by (job (rate(up[5m]))').faults).not.toEqual([]);
    expect(readQuery('sum(rate(up[$__rate]))').faults).not.toEqual([]);
  });
});
