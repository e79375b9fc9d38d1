import type { Detail } from '@recloser/dashboard';
import { expect, test } from 'vitest';
import { act, get, page, serving } from './servers.ts';

interface Shown {
  readonly instances: readonly {
    readonly name: string;
    readonly live: boolean;
    readonly rows: readonly { readonly state: string }[];
  }[];
  readonly entries: readonly { readonly instance: string; readonly to: string }[];
}

const shown = async (port: number): Promise<Shown> =>
  JSON.parse((await get(port, { path: '/api/breakers' })).text) as Shown;

async function until(port: number, holds: (shown: Shown) => boolean): Promise<Shown> {
  for (;;) {
    const now = await shown(port);
    if (holds(now)) return now;
    await get(port, { path: '/api/stream', until: '"second":true' });
  }
}

/** Two instances; the first one's page shows both. */
async function pair(secret = 'let-me-in') {
  const b = page({
    instance: 'b',
    actions: true,
    authorize: ({ header }) => (header('authorization') === secret ? { role: 'write', user: 'page of a' } : undefined),
  });
  const bPort = await serving(b.page);
  const peers = [{ url: `http://127.0.0.1:${bPort}`, headers: { authorization: 'let-me-in' } }];
  const a = page({ instance: 'a', actions: true, peers });
  return { a, b, aPort: await serving(a.page) };
}

test('one page shows all instances, their transitions and their details', async () => {
  const { b, aPort } = await pair();
  await until(aPort, ({ instances }) => instances.every(({ live }) => live));
  for (let i = 0; i < 2; i++) await b.breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  const { instances, entries } = await until(aPort, (now) => now.instances[1]?.rows[0]?.state === 'open');
  expect(instances.map(({ name, rows }) => [name, rows[0]?.state])).toEqual([
    ['a', 'closed'],
    ['b', 'open'],
  ]);
  expect(entries).toMatchObject([{ instance: 'b', to: 'open' }]);
  const detail = JSON.parse((await get(aPort, { path: '/api/breaker?id=payments&instance=b' })).text) as Detail;
  expect(detail).toMatchObject({ instance: 'b', row: { state: 'open' } });
  const { breakers } = JSON.parse((await get(aPort, { path: '/api/incident?id=payments' })).text) as {
    breakers: Detail[];
  };
  expect(breakers.map(({ instance }) => instance)).toEqual(['a', 'b']);
});

test('an action is taken in every instance, and each tells what became of it', async () => {
  const { a, b, aPort } = await pair();
  await until(aPort, ({ instances }) => instances.every(({ live }) => live));
  const answer = await act(aPort, {
    id: 'payments',
    action: 'disable',
    reason: 'a test',
    by: 'ana',
    confirm: 'payments',
  });
  expect(JSON.parse(answer.text)).toEqual({
    outcomes: [
      { instance: 'a', done: true, from: 'closed', to: 'disabled' },
      { instance: 'b', done: true, from: 'closed', to: 'disabled' },
    ],
  });
  expect([a.breaker.state, b.breaker.state]).toEqual(['disabled', 'disabled']);
  await act(aPort, { id: 'payments', action: 'release', reason: 'enough', instances: ['b'] });
  expect([a.breaker.state, b.breaker.state]).toEqual(['disabled', 'closed']);
});

test('a peer that does not let it in is shown as not heard of, and says why', async () => {
  const { aPort } = await pair('another');
  const { instances } = await until(aPort, (now) => JSON.stringify(now).includes('HTTP 403'));
  expect(instances[1]).toMatchObject({ live: false, rows: [] });
});

test('a peer that goes is gone, and what it was is still shown', async () => {
  const { b, aPort } = await pair();
  await until(aPort, ({ instances }) => instances.every(({ live }) => live));
  b.page.close();
  const { instances } = await until(aPort, (now) => now.instances[1]?.live === false);
  expect(instances[1]?.rows).toHaveLength(1);
});

test('no request can name a place to ask', async () => {
  const { page: mounted } = page();
  const port = await serving(mounted);
  let asked = 0;
  const other = await serving((_request, response) => {
    asked++;
    response.end('{}');
  });
  for (const name of ['instance', 'origin', 'url', 'peer', 'peers', 'id']) {
    await get(port, { path: `/api/breaker?id=payments&${name}=${encodeURIComponent(`http://127.0.0.1:${other}/`)}` });
    await get(port, { path: `/api/incident?${name}=${encodeURIComponent(`http://127.0.0.1:${other}/`)}` });
  }
  expect(asked).toBe(0);
});
