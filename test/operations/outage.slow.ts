import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Demo, demo } from '../browser/demo.ts';
import { fileWith } from '../demo/recordings.ts';
import { program } from './debian.ts';
import { expressions } from './files.ts';
import { type Alert, Prometheus } from './server.ts';

const prometheus = program('prometheus');
/** What there is none of in the demo. */
const absent = /registry|retry|bulkhead|fallbacks/;

const recorded = new URL('../../data/onlineboutique-currency-network-delay.csv', import.meta.url);

/**
 * The recorded outage, and then its end. The recording stops in the middle of it, so what follows is what was recorded before it: calls from the
 * 20th second to the 90th (the delay sets in at the 50th), and then the first forty seconds. Nothing fails in it, calls are slow: for the
 * errors that panels ask for there is one more dependency, made up.
 */
function outageThatEnds(): string {
  const [head, ...rows] = readFileSync(recorded, 'utf8').trimEnd().split('\n');
  const shifted = (fromMs: number, toMs: number, byMs: number): string[] =>
    rows.flatMap((row) => {
      const [at, rest] = [Number.parseFloat(row), row.slice(row.indexOf(','))];
      return at >= fromMs && at < toMs ? `${at + byMs}${rest}` : [];
    });
  const failing = Array.from({ length: 220 }, (_, i) => `${i * 500},stock,GET /,30,${i % 10 ? 'ok,200' : 'error,503'}`);
  const parts = [...shifted(20_000, 90_000, -20_000), ...shifted(0, 40_000, 70_000), ...failing];
  return fileWith('outage-that-ends.csv', [head, ...parts, ''].join('\n'));
}

describe.skipIf(prometheus === undefined)('a real Prometheus, on the demo', () => {
  let run: Demo;
  let server: Prometheus;
  beforeAll(async () => {
    run = await demo('--trace', outageThatEnds(), '--speed', '3');
    server = await Prometheus.start(prometheus as string, new URL('metrics', run.url), 'demo');
  });
  afterAll(async () => {
    run?.child.kill('SIGINT');
    await server?.stop();
  });

  const circuits = async (): Promise<Alert[]> =>
    (await server.alerts()).filter(({ labels }) => labels.alertname === 'CircuitBreakerOpen');
  const stateNow = async (): Promise<unknown> =>
    ((await (await fetch(`${run.url}api/breaker?id=currencyservice`)).json()) as { row: { state: string } }).row.state;

  test('CircuitBreakerOpen fires while the circuit is open, and resolves when it has closed', {
    timeout: 90_000,
  }, async () => {
    const patience = { timeout: 40_000, interval: 200 };
    await expect.poll(circuits, patience).toMatchObject([
      {
        state: 'firing',
        labels: { job: 'demo', name: 'currencyservice', severity: 'ticket' },
        annotations: { summary: 'Circuit currencyservice of demo is open' },
      },
    ]);
    expect(await stateNow()).toMatch(/^(open|half-open)$/);
    await expect.poll(circuits, patience).toEqual([]);
    expect(await stateNow()).toBe('closed');
    expect(await server.query('up == 1')).toHaveLength(1);
  });

  test.each(expressions)('it answers what %s asks', async (place, expr) => {
    const asked = expr
      .replaceAll('$__rate_interval', '1m')
      .replaceAll('$__range', '5m')
      .replaceAll(/\$(job|name)/g, '.*');
    const result = await server.query(asked);
    if (place.startsWith('dashboard') && !absent.test(expr) && !/ > 0|forced_open/.test(expr))
      expect(result).not.toEqual([]);
  });
});
