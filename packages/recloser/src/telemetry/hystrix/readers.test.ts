import type { ServerResponse } from 'node:http';
import { describe, expect, test } from 'vitest';
import { EventStreamClient } from '../../../../../test/support/event-stream.ts';
import {
  afterwards,
  breaker,
  clock,
  expectValid,
  fail,
  listening,
  make,
  watched,
} from '../../../../../test/support/hystrix.ts';
import { hystrix } from './index.ts';

describe('who is told', () => {
  test('breakers of before by `policies` or by their next transition, later ones by themselves, none after its end', async () => {
    const before = breaker('before', { failureThreshold: 1 });
    const given = breaker('given');
    const { turn } = await watched({ policies: [given] });
    const after = breaker('after');
    expect(Object.keys(await turn())).toEqual(['given', 'after']);
    await fail(before);
    expect(await turn()).toMatchObject({ before: { isCircuitBreakerOpen: true } });
    after.dispose();
    expect(Object.keys(await turn())).toEqual(['given', 'before']);
  });

  test('the first five, the others get a 503 until there is room', async () => {
    const { stream, port, connect, client } = await watched();
    const more = [1, 2, 3, 4].map(connect);
    for (const one of more) expect((await one.opened).statusCode).toBe(200);
    expect(stream.connections).toBe(5);
    const refused = await fetch(`http://127.0.0.1:${port}/`);
    expect([refused.status, await refused.text()]).toEqual([503, 'no more than 5 streams at a time\n']);
    client.close();
    while (stream.connections > 4) await new Promise((resolve) => setImmediate(resolve));
    expect((await connect().opened).statusCode).toBe(200);
  });

  test('nobody: no timer runs', async () => {
    const stream = make();
    breaker('idle');
    expect(clock.pending).toBe(0);
    const port = await listening(stream);
    const client = new EventStreamClient(port);
    await client.opened;
    expect(clock.pending).toBe(1);
    client.close();
    while (stream.connections > 0) await new Promise((resolve) => setImmediate(resolve));
    expect(clock.pending).toBe(0);
  });

  test('only those who read: HEAD gets the headers, anything else a 405', async () => {
    const { port, stream } = await watched();
    const head = await fetch(`http://127.0.0.1:${port}/`, { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type')]).toEqual([200, 'text/event-stream;charset=UTF-8']);
    expect((await fetch(`http://127.0.0.1:${port}/`, { method: 'POST' })).status).toBe(405);
    expect(stream.connections).toBe(1);
  });

  test('nobody after close(): streams end, new ones are refused', async () => {
    const { port, stream, client } = await watched();
    stream.close();
    await client.until(() => false);
    expect(client.ended).toBe(true);
    expect((await fetch(`http://127.0.0.1:${port}/`)).status).toBe(503);
    expect(clock.pending).toBe(0);
  });

  test('a reader that stalls misses turns, holds no more than one in memory, and is dropped after ten seconds', async () => {
    const made = Array.from({ length: 10_000 }, (_, i) => breaker(`breaker ${i}`));
    const responses: ServerResponse[] = [];
    const stream = make({ policies: made });
    const port = await listening((request, response) => {
      responses.push(response);
      stream(request, response);
    });
    const good = new EventStreamClient(port);
    await good.opened;
    const bad = new EventStreamClient(port);
    afterwards(() => good.close());
    afterwards(() => bad.close());
    (await bad.opened).pause();
    const turn = async (): Promise<void> => {
      good.text = '';
      await clock.advance(500);
      await good.until((text) => text.endsWith('\n\n'));
    };
    let most = 0;
    for (let i = 0; i < 200 && stream.connections === 2; i++) {
      await turn();
      most = Math.max(most, responses[1]?.writableLength ?? 0);
    }
    expect(stream.connections).toBe(1);
    expect(responses[1]?.destroyed).toBe(true);
    expect(most).toBeGreaterThan(100_000);
    expect(most).toBeLessThan(4_000_000);
    const names = new Set<unknown>();
    for (let i = 0; i < 20; i++) {
      await turn();
      for (const message of good.data) names.add(message.name);
      expectValid(good.data[0]!);
    }
    expect(names.size).toBe(10_000);
  }, 30_000);
});

describe('the handler for Fetch', () => {
  const reading = (response: Response) => {
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    return { next: async () => (await reader.read()).value, cancel: () => reader.cancel() };
  };

  test('streams the same, and ends with its reader', async () => {
    const stream = make();
    breaker('one');
    const response = stream.fetch(new Request('http://x/hystrix.stream'));
    expect(response.headers.get('content-type')).toBe('text/event-stream;charset=UTF-8');
    const { next, cancel } = reading(response);
    expectValid(JSON.parse((await next())!.slice('data: '.length)));
    await clock.advance(500);
    expect(await next()).toContain('"name":"one"');
    await cancel();
    expect([stream.connections, clock.pending]).toEqual([0, 0]);
  });

  test('drops a reader that takes nothing, and refuses as the other does', async () => {
    const stream = make({ maxConnections: 1 });
    breaker('one');
    const response = stream.fetch(new Request('http://x/'));
    expect(stream.fetch(new Request('http://x/')).status).toBe(503);
    expect(stream.connections).toBe(1);
    await clock.advance(11_000);
    expect(stream.connections).toBe(0);
    await expect(response.text()).rejects.toThrow('too slow');
    expect(stream.fetch(new Request('http://x/', { method: 'POST' })).status).toBe(405);
  });
});

test('bad input gets one clear error', () => {
  expect(() => hystrix({ intervalMs: 1, policies: [1], maxConnections: 0 } as never)).toThrow(
    /policies must be .*; intervalMs must be a number from 100 to 60000, got 1; maxConnections must be an integer/,
  );
});
