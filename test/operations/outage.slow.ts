import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Demo, demo } from '../browser/demo.ts';
import { recordingOf } from '../demo/recordings.ts';
import { program } from './debian.ts';
import { expressions } from './files.ts';
import { type Alert, Prometheus } from './server.ts';

const prometheus = program('prometheus');
/** What there is none of in the demo. */
const absent = /registry|retry|bulkhead|fallbacks/;

describe.skipIf(prometheus === undefined)('a real Prometheus, on the demo', () => {
  let run: Demo;
  let server: Prometheus;
  beforeAll(async () => {
    // A minute in which one of four dependencies fails, from the fifth second to the thirtieth.
    const trace = recordingOf('passing.csv', (dependency, atMs) =>
      dependency === 'stock' && atMs > 5_000 && atMs < 30_000
        ? { durationMs: 30, outcome: 'error', status: 503 }
        : { durationMs: 30, outcome: 'ok', status: 200 },
    );
    run = await demo('--trace', trace, '--speed', '1.5');
    server = await Prometheus.start(prometheus as string, new URL('metrics', run.url), 'demo');
  });
  afterAll(async () => {
    run?.child.kill('SIGINT');
    await server?.stop();
  });

  const circuits = async (): Promise<Alert[]> =>
    (await server.alerts()).filter(({ labels }) => labels.alertname === 'CircuitBreakerOpen');
  const stateNow = async (): Promise<unknown> =>
    ((await (await fetch(`${run.url}api/breaker?id=stock`)).json()) as { row: { state: string } }).row.state;

  test('CircuitBreakerOpen fires while the circuit is open, and resolves when it has closed', {
    timeout: 60_000,
  }, async () => {
    const patience = { timeout: 25_000, interval: 200 };
    await expect.poll(circuits, patience).toMatchObject([
      {
        state: 'firing',
        labels: { job: 'demo', name: 'stock', severity: 'ticket' },
        annotations: { summary: 'Circuit stock of demo is open' },
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
