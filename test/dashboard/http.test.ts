import dns from 'node:dns';
import { createServer } from 'node:http';
import { connect } from 'node:net';
import type { Audit } from '@recloser/dashboard';
import { dashboard } from '@recloser/dashboard';
import express from 'express';
import { circuitBreaker } from 'recloser';
import { describe, expect, test, vi } from 'vitest';
import { act, afterwards, get, listening, page, serving } from './servers.ts';

const order = { id: 'payments', action: 'force-open', reason: 'vendor incident' };

describe('actions', () => {
  test('they are off unless somebody turns them on', async () => {
    const { page: mounted, breaker } = page();
    const port = await serving(mounted);
    expect(JSON.parse((await get(port, { path: '/api/session' })).text)).toMatchObject({ role: 'read' });
    expect(await act(port, order)).toMatchObject({ status: 403 });
    expect(breaker.state).toBe('closed');
  });

  test('force open: with reason, name and end, told to the breaker, the journal and the audit', async () => {
    const audits: Audit[] = [];
    const { page: mounted, breaker } = page({ actions: true, onAction: (audit) => audits.push(audit) });
    const port = await serving(mounted);
    const answer = await act(port, { ...order, by: 'ana', expiresInMs: 60_000 });
    expect(JSON.parse(answer.text)).toEqual({
      outcomes: [{ instance: 'here', done: true, from: 'closed', to: 'forced-open' }],
    });
    expect(breaker.explain()).toContain('forced-open by ana (vendor incident) for another');
    expect(audits).toMatchObject([
      {
        action: 'force-open',
        breaker: 'payments',
        reason: 'vendor incident',
        expiresInMs: 60_000,
        remoteAddress: '127.0.0.1',
        user: undefined,
        claimedBy: 'ana',
        outcomes: [{ done: true }],
      },
    ]);
    const { entries } = JSON.parse((await get(port, { path: '/api/breaker?id=payments' })).text) as {
      entries: object[];
    };
    expect(entries).toMatchObject([
      { kind: 'action', to: 'forced-open', by: 'ana', reason: 'vendor incident', expiresInMs: 60_000 },
    ]);
  });

  test('a set state ends after 30 minutes unless said otherwise', async () => {
    const { page: mounted, breaker } = page({ actions: true });
    await act(await serving(mounted), order);
    expect(breaker.toJSON().forced?.expiresInMs).toBeGreaterThan(29 * 60_000);
    expect(breaker.toJSON().forced?.expiresInMs).toBeLessThanOrEqual(30 * 60_000);
  });

  test('release, reset and probe do what they say', async () => {
    const { page: mounted, breaker } = page({ actions: true });
    const port = await serving(mounted);
    for (let i = 0; i < 2; i++) await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
    await act(port, { ...order, action: 'probe' });
    expect(breaker.explain()).toContain('the next call is a probe');
    await act(port, order);
    await act(port, { ...order, action: 'release' });
    expect(breaker.state).toBe('open');
    await act(port, { ...order, action: 'reset' });
    expect(breaker.state).toBe('closed');
    await act(port, { ...order, action: 'force-closed', confirm: 'payments' });
    expect(breaker.state).toBe('forced-closed');
    await act(port, { ...order, action: 'disable', confirm: 'payments' });
    expect(breaker.state).toBe('disabled');
    await act(port, { ...order, action: 'observe-only' });
    expect(breaker.state).toBe('observe-only');
  });

  test.each<[string, Record<string, string>, number]>([
    ['without the token', { 'x-recloser-token': '' }, 403],
    ['with a made-up token', { 'x-recloser-token': '41562.aaaa' }, 403],
    ['from another origin', { origin: 'http://evil.example' }, 403],
    ['from another site', { 'sec-fetch-site': 'cross-site' }, 403],
    ['under another name (DNS rebinding)', { host: 'evil.example' }, 403],
    ['as a form', { 'content-type': 'application/x-www-form-urlencoded' }, 415],
    ['as plain text', { 'content-type': 'text/plain' }, 415],
    ['through a proxy nobody told of', { 'x-forwarded-for': '203.0.113.9' }, 403],
  ])('%s they are refused, nothing changes, and the refusal is audited', async (_how, headers, status) => {
    const audits: Audit[] = [];
    const { page: mounted, breaker } = page({ actions: true, onAction: (audit) => audits.push(audit) });
    const answer = await act(await serving(mounted), order, headers);
    expect(answer.status).toBe(status);
    expect(JSON.parse(answer.text)).toHaveProperty('error');
    expect(breaker.state).toBe('closed');
    expect(audits).toMatchObject([{ claimedBy: undefined, outcomes: [], refused: expect.any(String) }]);
  });

  test('a role that may only read may only read', async () => {
    const { page: mounted, breaker } = page({
      actions: true,
      authorize: ({ header }) => (header('x-team') === 'sre' ? 'write' : 'read'),
    });
    const port = await serving(mounted);
    expect((await act(port, order)).status).toBe(403);
    const { token } = JSON.parse((await get(port, { path: '/api/session', headers: { 'x-team': 'sre' } })).text) as {
      token: string;
    };
    expect((await act(port, order, { 'x-recloser-token': token })).status).toBe(403);
    expect(breaker.state).toBe('closed');
    expect((await act(port, order, { 'x-recloser-token': token, 'x-team': 'sre' })).status).toBe(200);
  });

  test('of a breaker or an instance that is not there nothing is done', async () => {
    const { page: mounted } = page({ actions: true });
    const port = await serving(mounted);
    expect((await act(port, { ...order, id: 'nobody' })).status).toBe(404);
    expect((await act(port, { ...order, instances: ['elsewhere'] })).status).toBe(404);
    expect((await act(port, { ...order, reason: 'x'.repeat(20_000) })).status).toBe(413);
  });
});

test('refusals of strangers do not flood the audit', async () => {
  const audits: Audit[] = [];
  const { page: mounted } = page({ actions: true, onAction: (audit) => audits.push(audit) });
  const port = await serving(mounted);
  const stranger = { method: 'POST', path: '/api/action', headers: { host: 'evil.example' } };
  await Promise.all(Array.from({ length: 100 }, () => get(port, stranger)));
  expect(audits.length).toBeGreaterThanOrEqual(10);
  expect(audits.length).toBeLessThanOrEqual(30);
});

test('an audit may be kept elsewhere, and where that fails it is told', async () => {
  const broken = new Error('no database');
  const { page: mounted, faults } = page({ actions: true, onAction: () => Promise.reject(broken) });
  expect(await act(await serving(mounted), order)).toMatchObject({ status: 200 });
  expect(faults).toEqual([broken]);
});

test('what is asked for ends in the audit as one line, and the name that authorize knows comes first', async () => {
  const audits: Audit[] = [];
  const { page: mounted, breaker } = page({
    actions: true,
    authorize: () => ({ role: 'write', user: 'ana' }),
    onAction: (audit) => audits.push(audit),
  });
  const port = await serving(mounted);
  await act(port, { ...order, id: 'x\r\nINFO forged' });
  expect(audits[0]).toMatchObject({ user: 'ana', breaker: 'x INFO forged', refused: 'no such breaker' });
  await act(port, { ...order, by: 'the\nboss' });
  expect(breaker.toJSON().forced?.by).toBe('ana for the boss');
  expect(audits[1]).toMatchObject({ user: 'ana', claimedBy: 'the boss' });
});

test.each<[string, string]>([
  ['x-forwarded-for', '203.0.113.9'],
  ['x-forwarded-host', 'ops.example.com'],
  ['x-real-ip', '203.0.113.9'],
  ['forwarded', 'for=203.0.113.9'],
  ['via', '1.1 proxy'],
  ['cf-connecting-ip', '203.0.113.9'],
])('without authorize what a proxy passes on (%s) is from anywhere, and refused', async (name, value) => {
  const { page: mounted } = page();
  expect((await get(await serving(mounted), { path: '/api/breakers', headers: { [name]: value } })).status).toBe(403);
});

test('without authorize HTTP/1.0 is refused: nginx passes requests on like that, and does not say from where', async () => {
  const { page: mounted } = page();
  const port = await serving(mounted);
  const answer = await new Promise<string>((resolve) => {
    let text = '';
    const socket = connect(port, '127.0.0.1', () =>
      socket.write('GET /api/breakers HTTP/1.0\r\nhost: localhost\r\n\r\n'),
    );
    socket.on('data', (data) => (text += data.toString()));
    socket.on('close', () => resolve(text));
  });
  expect(answer).toMatch(/^HTTP\/1\.[01] 403 /);
});

test('a body that a parser has read is no longer than others', async () => {
  const app = express();
  app.use(express.json({ limit: '1mb' }));
  const { page: mounted } = page({ actions: true });
  app.use('/ops', mounted);
  const port = await listening(createServer(app));
  const { token } = JSON.parse((await get(port, { path: '/ops/api/session' })).text) as { token: string };
  const answer = await get(port, {
    method: 'POST',
    path: '/ops/api/action',
    headers: { 'content-type': 'application/json', 'x-recloser-token': token },
    body: JSON.stringify({ ...order, junk: 'x'.repeat(100_000) }),
  });
  expect(answer.status).toBe(413);
});

describe('looking', () => {
  test('every answer carries the headers that keep a page to itself', async () => {
    const { page: mounted } = page();
    const port = await serving(mounted);
    for (const path of ['/', '/api/session', '/nothing.here', '/api/breaker?id=nobody']) {
      const { headers } = await get(port, { path });
      expect(headers, path).toMatchObject({
        'x-content-type-options': 'nosniff',
        'x-frame-options': 'DENY',
        'referrer-policy': 'no-referrer',
        'cross-origin-resource-policy': 'same-origin',
        'cache-control': 'no-store',
      });
      expect(headers).not.toHaveProperty('access-control-allow-origin');
    }
  });

  test('methods that nothing answers to are told what would', async () => {
    const { page: mounted } = page();
    const port = await serving(mounted);
    expect(await get(port, { method: 'DELETE', path: '/api/breaker' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET' },
    });
    expect(await get(port, { method: 'GET', path: '/api/action' })).toMatchObject({
      status: 405,
      headers: { allow: 'POST' },
    });
    expect(await get(port, { method: 'POST', path: '/' })).toMatchObject({
      status: 405,
      headers: { allow: 'GET, HEAD' },
    });
    expect(await get(port, { method: 'HEAD', path: '/api/stream' })).toMatchObject({ status: 200, text: '' });
  });

  test('reading changes nothing, half-open included (S3)', async () => {
    let now = 0;
    const clock = { now: () => now, setTimeout: () => 0, clearTimeout: () => {} };
    const breaker = circuitBreaker({ name: 'payments', failureThreshold: 1, sleepWindowMs: 1_000, clock });
    await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
    now = 5_000;
    const before = JSON.stringify(breaker);
    const { page: mounted } = page({ breakers: [breaker] });
    const port = await serving(mounted);
    for (const path of [
      '/',
      '/api/breakers',
      '/api/breaker?id=payments',
      '/api/incident',
      '/api/incident?id=payments&format=md',
      '/api/session',
    ]) {
      expect((await get(port, { path })).status, path).toBe(200);
    }
    await get(port, { path: '/api/stream', until: '"second":true' });
    expect(JSON.stringify(breaker)).toBe(before);
  });

  test('no more pages than allowed are open at a time', async () => {
    const { page: mounted } = page({ maxStreams: 2 });
    const port = await serving(mounted);
    const open = [1, 2].map(() => get(port, { path: '/api/stream', until: 'never' }).catch(() => {}));
    while (mounted.streams.open < 2) await get(port, { path: '/api/session' });
    expect(await get(port, { path: '/api/stream' })).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
    mounted.close();
    await Promise.all(open);
  });

  test('a stream goes on where it broke off', async () => {
    const { page: mounted, breaker } = page();
    const port = await serving(mounted);
    const first = await get(port, { path: '/api/stream', until: '"second":true' });
    const lastId = [...first.text.matchAll(/^id: (.*)$/gm)].at(-1)?.[1] as string;
    breaker.forceOpen({ reason: 'meanwhile' });
    const again = await get(port, { path: '/api/stream', headers: { 'last-event-id': lastId }, until: 'meanwhile' });
    expect(again.text).not.toContain('event: snapshot');
  });
});

describe('a server of its own', () => {
  test('it listens on this machine', async () => {
    const { page: mounted } = page();
    const { url, close } = await mounted.listen({ port: 0 });
    expect(url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/$/);
    expect((await fetch(url)).status).toBe(200);
    await close();
  });

  test.each(['0.0.0.0', '::', '192.0.2.1', 'example.com'])(
    'on %s it does not listen without `authorize`',
    async (host) => {
      const { page: mounted } = page();
      await expect(mounted.listen({ host, port: 0 })).rejects.toThrow('needs `authorize`');
    },
  );

  test('nor under a name that sounds like this machine and is another', async () => {
    const { page: mounted } = page();
    // Newer releases of Node ask for all addresses of a name.
    const lookup = vi.spyOn(dns, 'lookup').mockImplementation(((...given: unknown[]) => {
      const found = given.at(-1) as (...found: unknown[]) => void;
      const { all = false } = (given[1] ?? {}) as { all?: boolean };
      if (all) found(null, [{ address: '0.0.0.0', family: 4 }]);
      else found(null, '0.0.0.0', 4);
    }) as never);
    afterwards(() => lookup.mockRestore());
    await expect(mounted.listen({ host: 'page.localhost', port: 0 })).rejects.toThrow('0.0.0.0');
  });

  test('it takes the next free port unless told which', async () => {
    const [a, b] = [page().page, page().page];
    const [first, second] = [await a.listen({ port: undefined, host: undefined, beside: undefined }), await b.listen()];
    expect(new URL(second.url).port).not.toBe(new URL(first.url).port);
    await expect(b.listen({ port: Number(new URL(first.url).port) })).rejects.toThrow('EADDRINUSE');
  });
});

test('the Fetch handler asks for `authorize`: a request does not say where it came from', async () => {
  const { page: mounted } = page();
  expect((await mounted.fetch(new Request('http://localhost/'))).status).toBe(403);
  const { page: open } = page({ authorize: () => 'read' });
  expect((await open.fetch(new Request('http://localhost/'))).status).toBe(200);
});

test('a recorded incident is shown instead, and nobody can act on it', async () => {
  const { page: live, breaker } = page();
  breaker.forceOpen({ reason: 'then' });
  const incident = JSON.parse(JSON.stringify(await live.incident()));
  const recorded = dashboard({ incident, actions: true });
  afterwards(recorded.close);
  const port = await serving(recorded);
  expect(JSON.parse((await get(port, { path: '/api/session' })).text)).toMatchObject({ recorded: true, role: 'read' });
  expect((await get(port, { path: '/api/breakers' })).text).toContain('"forced-open"');
  expect((await get(port, { path: '/api/incident?id=payments&format=md' })).text).toContain('then');
  expect((await act(port, order)).status).toBe(403);
});

test('faults of the options are told all together', () => {
  expect(() =>
    dashboard({
      breakers: 7,
      maxStreams: 0,
      hosts: ['ops.example.com'],
      titel: 'x',
      peers: [{ url: 'file:///etc' }],
    } as never),
  ).toThrow(
    /unknown option titel.*hosts may hold 'ops.example.com' only together with authorize.*peers must be.*breakers must be iterable.*maxStreams must be/,
  );
  expect(() => dashboard({ breakers: [], peers: [{ url: 'http://ana:secret@host/' }] })).toThrow('credentials in');
  expect(() => dashboard({})).toThrow('give either breakers or incident');
});
