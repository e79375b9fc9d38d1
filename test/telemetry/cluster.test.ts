import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import type { Exposed } from './cluster-process.ts';

const file = fileURLToPath(new URL('cluster-process.ts', import.meta.url));

function samples(text: string): Map<string, number> {
  const lines = text.split('\n').filter((line) => line.startsWith('recloser_'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

/** What two processes have in common is the worse of the two; the rest adds up. */
function together(series: string, values: readonly number[]): number {
  if (/^recloser_circuit_breaker_opened_timestamp/.test(series)) return Math.min(...values);
  if (/^recloser_\w+(_ratio|last_transition_timestamp_seconds)\{/.test(series)) return Math.max(...values);
  return values.reduce((sum, value) => sum + value, 0);
}

test("prom-client's cluster adds up what its workers count, and tells the worse of what is no count", async () => {
  const child = fork(file, { execArgv: ['--import', 'tsx'] });
  const [{ workers, all }] = (await once(child, 'message')) as [Exposed];
  const each = workers.map(samples);
  const told = samples(all);
  const names = new Set(each.flatMap((worker) => [...worker.keys()]));
  expect(new Set(told.keys())).toEqual(names);
  for (const series of names) {
    const values = each.flatMap((worker) => worker.get(series) ?? []);
    expect(told.get(series), series).toBeCloseTo(together(series, values), 9);
  }
  expect(told.get('recloser_execution_duration_seconds_count{name="payments",outcome="success"}')).toBe(30);
  expect(told.get('recloser_errors_total{name="payments",error_type="ECONNREFUSED"}')).toBe(3);
  expect(told.get('recloser_circuit_breaker_state{name="search",state="open"}')).toBe(2);
  expect(told.get('recloser_rejections_total{name="search",reason="circuit_open"}')).toBe(2);
  expect(told.get('recloser_bulkhead_limit{name="places"}')).toBe(15);
  expect(told.get('recloser_registry_size{name="hosts"}')).toBe(3);
  expect(told.get('recloser_circuit_breaker_state{name="alone",state="forced_open"}')).toBe(1);
  const [first, second] = each.map((worker) =>
    worker.get('recloser_circuit_breaker_opened_timestamp_seconds{name="search"}'),
  );
  expect(first).toBeLessThan(second ?? 0);
});
