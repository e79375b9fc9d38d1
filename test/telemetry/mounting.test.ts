import { connect } from 'node:net';
import { circuitBreaker } from 'recloser';
import { health } from 'recloser/telemetry';
import { hystrix } from 'recloser/telemetry/hystrix';
import { prometheus } from 'recloser/telemetry/prometheus';
import { manualClock } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { afterwards, get } from '../dashboard/servers.ts';
import { EventStreamClient } from '../support/event-stream.ts';
import { frameworks, type Mount } from './frameworks.ts';

/** What every scraper and every browser says. */
const compressed = { 'accept-encoding': 'gzip' };

async function mounted(mount: Mount, prefix: string) {
  const clock = manualClock();
  const metrics = prometheus();
  const stream = hystrix({ clock, maxConnections: 2 });
  afterwards(metrics.close);
  afterwards(stream.close);
  const login = circuitBreaker({ name: 'login', clock });
  login.forceOpen({ by: 'ana', reason: 'vendor incident' });
  // Its sleep is over: whoever called instead of reading would be its probe.
  const payments = circuitBreaker({ name: 'payments', clock, failureThreshold: 1, sleepWindowMs: 10_000 });
  await payments.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  await clock.advance(20_000);
  const ready = health({ policies: [login, payments], critical: ['login'] });
  const routes = { '/metrics': metrics, '/readyz': ready, '/hystrix.stream': { handler: stream, fetch: stream.fetch } };
  const port = await mount(routes, prefix);
  return {
    ...{ clock, metrics, ready, stream, port },
    /** Without what time alone moves. */
    figures: () => JSON.stringify([login, payments, login.metrics(), payments.metrics()]).replace(/"\w+Ms":\d+/g, ''),
    read: (path: string, method = 'GET') => get(port, { path: prefix + path, method }),
    listen() {
      const client = new EventStreamClient(port, `${prefix}/hystrix.stream`, compressed);
      afterwards(() => client.close());
      return client;
    },
  };
}

const until = async (isSo: () => boolean): Promise<void> => {
  while (!isSo()) await new Promise((resolve) => setImmediate(resolve));
};

describe.each(Object.entries(frameworks))('in %s', (_name, mount) => {
  test.each(['', '/internal/ops'])('S3: under %j all three answer, to HEAD too, and change nothing', async (prefix) => {
    const { clock, metrics, ready, stream, figures, read, listen } = await mounted(mount, prefix);
    const before = figures();

    const scrape = await read('/metrics');
    expect([scrape.status, scrape.headers['content-type']]).toEqual([200, metrics.contentType]);
    expect(scrape.text).toBe(metrics.text());
    expect(scrape.text).toContain('recloser_circuit_breaker_state{name="payments",state="open"} 1');

    const readiness = await read('/readyz');
    expect([readiness.status, readiness.headers['cache-control']]).toEqual([503, 'no-store']);
    expect(JSON.parse(readiness.text)).toEqual(ready());

    for (const [path, { status, headers }] of Object.entries({ '/metrics': scrape, '/readyz': readiness })) {
      const head = await read(path, 'HEAD');
      expect([head.status, head.headers['content-type'], head.text]).toEqual([status, headers['content-type'], '']);
    }
    const head = await read('/hystrix.stream', 'HEAD');
    expect([head.status, head.text, stream.connections]).toEqual([200, '', 0]);

    // A message must not wait for others in a compressor.
    const client = listen();
    const { headers } = await client.opened;
    expect(headers['content-encoding']).toBeUndefined();
    expect(headers['content-type']).toMatch(/^text\/event-stream; ?charset=utf-8$/i);
    await client.until((text) => text.includes('"payments"') && text.endsWith('\n\n'));
    client.text = '';
    await clock.advance(500);
    await client.until((text) => text.includes('"payments"') && text.endsWith('\n\n'));
    expect(client.data).toMatchObject([{ name: 'login' }, { name: 'payments', isCircuitBreakerOpen: true }]);

    expect(figures()).toBe(before);
  });

  test('readers that hang up give their places back, and the last one ends the timer', async () => {
    const { clock, stream, port, read, listen } = await mounted(mount, '/ops');
    for (let round = 0; round < 3; round++) {
      const readers = [listen(), listen()];
      for (const reader of readers) {
        expect((await reader.opened).statusCode).toBe(200);
        await reader.until((text) => text.includes('\n\n'));
      }
      expect((await read('/hystrix.stream')).status).toBe(503);
      for (const reader of readers) reader.close();
      await until(() => stream.connections === 0);
      expect(clock.pending).toBe(0);
    }
    for (const path of ['/ops/metrics', '/ops/readyz', '/ops/hystrix.stream']) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => {});
      await new Promise((resolve) => socket.write(`GET ${path} HTTP/1.1\r\nhost: localhost\r\n\r\n`, resolve));
      socket.resetAndDestroy();
    }
    expect((await read('/metrics')).status).toBe(200);
    await until(() => stream.connections === 0);
  });
});
