import { createServer } from 'node:http';
import type { Audit, Detail } from '@recloser/dashboard';
import { type Registry, registry } from 'recloser';
import { expect, test } from 'vitest';
import { act, get, listening, page, serving } from './servers.ts';

interface Shown {
  readonly instances: readonly {
    readonly name: string;
    readonly live: boolean;
    readonly rows: readonly { readonly state: string }[];
    readonly recent: Readonly<Record<string, { readonly ok: readonly number[] }>>;
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
async function pair(secret = 'let-me-in', breakers: readonly [a?: object, b?: object] = []) {
  const b = page({
    instance: 'b',
    actions: true,
    ...breakers[1],
    authorize: ({ header }) => (header('authorization') === secret ? { role: 'write', user: 'page of a' } : undefined),
  });
  const bPort = await serving(b.page);
  const peers = [{ url: `http://127.0.0.1:${bPort}`, headers: { authorization: 'let-me-in' } }];
  const a = page({ instance: 'a', actions: true, peers, ...breakers[0] });
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

test('the last minute of a peer goes on after it was first heard of', async () => {
  const { b, aPort } = await pair();
  await until(aPort, ({ instances }) => instances.every(({ live }) => live));
  for (let i = 0; i < 3; i++) await b.breaker.execute(async () => 1);
  const { instances } = await until(aPort, (now) => now.instances[1]?.recent.payments !== undefined);
  expect(Math.max(...(instances[1]?.recent.payments?.ok ?? []))).toBeGreaterThan(0);
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
  expect(b.breaker.toJSON().forced?.by).toBe('page of a for ana');
  await act(aPort, { id: 'payments', action: 'release', reason: 'enough', instances: ['b'] });
  expect([a.breaker.state, b.breaker.state]).toEqual(['disabled', 'closed']);
});

test('an action on a key is taken in the instances where it has no row, too', async () => {
  const [near, far] = [1, 2].map(() => {
    const hosts = registry({ name: 'hosts', defaults: { failureThreshold: 1 } });
    for (let i = 0; i < 30; i++) hosts.get(`k${i}`);
    return hosts;
  }) as [Registry, Registry];
  near.get('only here');
  await near
    .get('k29')
    .execute(() => Promise.reject(new Error('down')))
    .catch(() => {});
  const { aPort } = await pair('let-me-in', [{ breakers: near }, { breakers: far }]);
  await until(aPort, ({ instances }) => instances.every(({ live }) => live));
  const order = { action: 'force-open', reason: 'a test' };
  expect(JSON.parse((await act(aPort, { ...order, id: 'hosts/k29' })).text)).toEqual({
    outcomes: [
      { instance: 'a', done: true, from: 'open', to: 'forced-open' },
      { instance: 'b', done: true, from: 'closed', to: 'forced-open' },
    ],
  });
  expect(far.get('k29').state).toBe('forced-open');
  expect(JSON.parse((await act(aPort, { ...order, id: 'hosts/only here' })).text)).toEqual({
    outcomes: [{ instance: 'a', done: true, from: 'closed', to: 'forced-open' }],
  });
  expect((await act(aPort, { ...order, id: 'hosts/nobody' })).status).toBe(404);
});

test('an incident has what only a peer has had', async () => {
  const { a, b, aPort } = await pair();
  await until(aPort, ({ instances }) => instances.every(({ live }) => live));
  for (let i = 0; i < 2; i++) await b.breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  await until(aPort, (now) => now.instances[1]?.rows[0]?.state === 'open');
  expect((await a.page.incident()).breakers.map(({ instance, row }) => [instance, row.state])).toEqual([
    ['a', 'closed'],
    ['b', 'open'],
  ]);
  b.breaker.reset();
  await until(aPort, (now) => now.instances[1]?.rows[0]?.state === 'closed');
  expect((await a.page.incident()).breakers).toHaveLength(2);
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

test('a list of all instances may have this one in it: it is shown once and acted on once', async () => {
  let port = 0;
  const audits: Audit[] = [];
  const server = createServer((request, response) => a.page(request, response));
  port = await listening(server);
  const a = page({
    instance: 'a',
    actions: true,
    onAction: (audit) => audits.push(audit),
    peers: [{ url: `http://127.0.0.1:${port}` }],
  });
  const { instances } = await until(port, (now) => now.instances.length === 1);
  expect(instances.map(({ name }) => name)).toEqual(['a']);
  const answer = await act(port, { id: 'payments', action: 'force-open', reason: 'a test' });
  expect(JSON.parse(answer.text)).toEqual({
    outcomes: [{ instance: 'a', done: true, from: 'closed', to: 'forced-open' }],
  });
  expect(audits).toHaveLength(1);
});

test('open pages are told what a peer was called before it was heard of', async () => {
  const b = page({ instance: 'b' });
  let up = false;
  const port = await serving((request, response) => {
    if (up) b.page(request, response);
    else response.writeHead(503).end();
  });
  const a = page({ instance: 'a', peers: [{ url: `http://127.0.0.1:${port}`, headers: undefined }] });
  const aPort = await serving(a.page);
  const told = get(aPort, { path: '/api/stream', until: '"formerly"' });
  expect((await shown(aPort)).instances[1]).toMatchObject({ name: `127.0.0.1:${port}`, live: false });
  up = true;
  expect((await told).text).toMatch(new RegExp(`\\{"name":"b","live":true,.*"formerly":"127\\.0\\.0\\.1:${port}"`));
});

test('two instances of one name are two', async () => {
  const b = page({ instance: 'a', actions: true });
  const bPort = await serving(b.page);
  const a = page({ instance: 'a', actions: true, peers: [{ url: `http://127.0.0.1:${bPort}` }] });
  const aPort = await serving(a.page);
  const { instances } = await until(aPort, (now) => now.instances.every(({ live }) => live));
  const other = `a at 127.0.0.1:${bPort}`;
  expect(instances.map(({ name }) => name)).toEqual(['a', other]);
  await act(aPort, { id: 'payments', action: 'force-open', reason: 'a test', instances: [other] });
  expect([a.breaker.state, b.breaker.state]).toEqual(['closed', 'forced-open']);
  expect(
    (await until(aPort, (now) => now.instances[1]?.rows[0]?.state === 'forced-open')).instances[0]?.rows[0]?.state,
  ).toBe('closed');
});

test('a peer is told of this instance only: of the others it hears itself', async () => {
  const { aPort } = await pair();
  await until(aPort, ({ instances }) => instances.every(({ live }) => live));
  const { text } = await get(aPort, { path: '/api/stream?own=1', until: '"second":true' });
  expect(text).toContain('"name":"a"');
  expect(text).not.toContain('"name":"b"');
});

test('a peer that answers without end is cut off, and what it says of an order is taken for no more than text', async () => {
  const hostile = await serving((request, response) => {
    if (request.url?.includes('stream')) {
      const row = { id: 'payments', state: 'open', ok: 0, failed: 0, refused: 0 };
      const snapshot = {
        self: 'evil',
        at: 1,
        instances: [{ name: 'evil', live: true, rows: [row], recent: {} }],
        entries: [],
      };
      response.write(`event: snapshot\nid: x\ndata: ${JSON.stringify(snapshot)}\n\n`);
    } else if (request.url?.includes('session')) response.end('{"token":"x"}');
    else if (request.url?.includes('action')) {
      response.end(
        JSON.stringify({ outcomes: [{ instance: 'here', done: { x: 1 }, trouble: { html: '<b>' }, to: 7 }] }),
      );
    } else {
      const flood = () => {
        while (!response.destroyed && response.write('"'.padEnd(65_536, 'x')));
      };
      response.on('drain', flood);
      flood();
    }
  });
  const { page: mounted } = page({ actions: true, peers: [{ url: `http://127.0.0.1:${hostile}` }] });
  const port = await serving(mounted);
  await until(port, ({ instances }) => instances.some(({ name }) => name === 'evil'));
  expect((await get(port, { path: '/api/breaker?id=payments&instance=evil' })).status).toBe(404);
  const answer = await act(port, { id: 'payments', action: 'force-open', reason: 'a test' });
  expect(JSON.parse(answer.text)).toMatchObject({
    outcomes: [
      { instance: 'here', done: true },
      { instance: 'evil', done: false },
    ],
  });
  expect(answer.text).not.toContain('html');
});

test('what a peer calls itself, and what it says of an order, are one line in an audit', async () => {
  const self = 'b\n2026-11-29 WARN audit user=ana action=disable';
  const row = { id: 'payments', state: 'open', ok: 0, failed: 0, refused: 0 };
  const snapshot = { self, at: 1, instances: [{ name: self, live: true, rows: [row], recent: {} }], entries: [] };
  const asked: string[] = [];
  const hostile = await serving((request, response) => {
    if (request.url?.includes('stream'))
      response.write(`event: snapshot\nid: x\ndata: ${JSON.stringify(snapshot)}\n\n`);
    else if (request.url?.includes('session')) response.end('{"token":"x"}');
    else {
      request.on('data', (body) => asked.push(String(body)));
      const outcomes = [{ done: false, trouble: 'no\n2026-11-29 WARN forged too' }];
      response.end(asked.length === 0 ? JSON.stringify({ outcomes }) : 'no\nJSON');
    }
  });
  const audits: Audit[] = [];
  const { page: mounted } = page({
    ...{ actions: true, onAction: (audit: Audit) => audits.push(audit) },
    peers: [{ url: `http://127.0.0.1:${hostile}` }],
  });
  const port = await serving(mounted);
  await until(port, ({ instances }) => instances.some(({ live, name }) => live && name !== 'here'));
  for (let i = 0; i < 2; i++) await act(port, { id: 'payments', action: 'force-open', reason: 'a test' });
  const outcomes = audits.flatMap((audit) => audit.outcomes);
  expect(outcomes).toMatchObject([
    { instance: 'here' },
    { instance: 'b 2026-11-29 WARN audit user=ana action=disable', trouble: 'no 2026-11-29 WARN forged too' },
    { instance: 'here' },
    { trouble: expect.stringContaining('JSON') },
  ]);
  expect(JSON.stringify(outcomes)).not.toContain('\\n');
  // It is still asked under the name it goes by.
  expect(JSON.parse(asked[0] as string)).toMatchObject({ instances: [self] });
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
