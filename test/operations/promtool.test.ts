import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { parse, stringify } from 'yaml';
import { program } from './debian.ts';
import { alerts, alertsFile, expressions, type Rule } from './files.ts';
import { scrape } from './scrape.ts';

const promtool = program('promtool');
const testsFile = 'docs/operations/alerts.test.yml';

/** What promtool says, and whether it is content. */
function run(input: string | undefined, ...args: string[]): { status: number | null; output: string } {
  const { status, stdout, stderr } = spawnSync(promtool as string, args, { encoding: 'utf8', input });
  return { status, output: stdout + stderr };
}

describe.skipIf(promtool === undefined)('promtool', () => {
  const folder = mkdtempSync(join(tmpdir(), 'recloser-alerts-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  test('has nothing against the alert rules', () => {
    expect(run(undefined, 'check', 'rules', '--lint=all', '--lint-fatal', alertsFile)).toEqual({
      status: 0,
      output: expect.stringContaining('SUCCESS'),
    });
  });

  test('sees each alert fire, stay silent and resolve as it must', { timeout: 30_000 }, () => {
    expect(run(undefined, 'test', 'rules', testsFile)).toEqual({
      status: 0,
      output: expect.stringContaining('SUCCESS'),
    });
  });

  test.each([
    ['never fires', 'vector(0) > 1'],
    ['always fires', 'vector(1)'],
  ])('would see any alert that %s', { timeout: 30_000 }, (_how, expr) => {
    copyFileSync(testsFile, join(folder, 'alerts.test.yml'));
    writeFileSync(join(folder, 'alerts.yml'), withExpr(expr));
    const { status, output } = run(undefined, 'test', 'rules', join(folder, 'alerts.test.yml'));
    expect(status).toBe(1);
    for (const { alert } of alerts) expect(output).toContain(`alertname: ${alert},`);
  });

  test.each([
    ['counts from the opening', 500, 100],
    ['tells 0 of a circuit whose opening ended at 0, as OpenTelemetry ends it', 0, 0],
  ])('the panel of how long it is open %s', (_what, openedAt, told) => {
    const [, expr = ''] = expressions.find(([place]) => place === 'dashboard: Open for') ?? [];
    const [file, opened] = [join(folder, 'panel.yml'), 'recloser_circuit_breaker_opened_timestamp_seconds'];
    const asked = {
      expr: expr.replace('$job', '.*').replace('$name', '.*'),
      eval_time: '10m',
      exp_samples: [{ labels: '{}', value: told }],
    };
    const input = { series: `${opened}{job="api",name="payments"}`, values: `${openedAt}x10` };
    writeFileSync(file, stringify({ tests: [{ interval: '1m', input_series: [input], promql_expr_test: [asked] }] }));
    expect(run(undefined, 'test', 'rules', file)).toEqual({ status: 0, output: expect.stringContaining('SUCCESS') });
  });

  test('has nothing against a scrape of ours', async () => {
    expect(run(await scrape(), 'check', 'metrics')).toEqual({ status: 0, output: '' });
  });
});

/** The rules with another expression in place of that of every alert. */
function withExpr(expr: string): string {
  const file = parse(readFileSync(alertsFile, 'utf8')) as { groups: { rules: Rule[] }[] };
  for (const { rules } of file.groups) {
    for (const [i, rule] of rules.entries()) if (rule.alert !== undefined) rules[i] = { ...rule, expr };
  }
  return stringify(file);
}
