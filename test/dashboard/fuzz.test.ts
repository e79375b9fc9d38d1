import { createConnection } from 'node:net';
import { expect, test } from 'vitest';
import { chance as seeded } from '../support/chance.ts';
import { get, page, serving } from './servers.ts';

const cases = 10_000;
const parallel = 20;

const random = seeded(20_261_124).unit;
const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
const chance = (share: number): boolean => random() < share;
const noise = (most: number): string =>
  Array.from({ length: Math.floor(random() * most) }, () => String.fromCharCode(33 + Math.floor(random() * 94))).join(
    '',
  );
const bytes = (most: number): string =>
  Array.from({ length: Math.floor(random() * most) }, () => String.fromCharCode(Math.floor(random() * 256))).join('');

const methods = ['GET', 'GET', 'GET', 'POST', 'POST', 'PUT', 'DELETE', 'PATCH', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'];
const places = ['', '/ops', '/a/b/c', '/../..', '//', '/%2e%2e', '/api/api', '/assets/..', '/__proto__'];
const ends = [
  '/',
  '',
  '/api/session',
  '/api/breakers',
  '/api/breaker',
  '/api/incident',
  '/api/action',
  '/api/stream',
  '/api/stream',
  '/api/',
  '/api/constructor',
  '/api/__proto__',
  '/assets/index.html',
  '/assets/../index.html',
  '/assets/%2e%2e%2fpackage.json',
  '/assets/constructor',
  '/assets/page.js',
  '/favicon.ico',
  '/%00',
  '/%',
  '/api/breaker/x',
  '/..;/api/action',
];
const queries = [
  'id=payments',
  'id=',
  'id=__proto__',
  'id=payments&id=b',
  'instance=here',
  'instance=%00',
  'format=md',
  'format=md&id=payments',
  'own=1',
  '%',
  '&&==',
  'id=%ff%fe',
  'origin=http://169.254.169.254/',
  't=1e999',
];
const headerPool: Record<string, readonly string[]> = {
  host: [
    'localhost',
    'localhost:99999',
    '127.0.0.1',
    'evil.example',
    '[::1]:1',
    '',
    'a'.repeat(300),
    'localhost\u00e9',
    '127.0.0.1:80, evil',
  ],
  origin: ['null', 'http://localhost', 'http://evil.example', 'file://', 'http://localhost:1@evil', 'javascript:1'],
  'sec-fetch-site': ['same-origin', 'cross-site', 'none', 'x'],
  'sec-fetch-mode': ['navigate', 'cors', 'x'],
  'content-type': [
    'application/json',
    'application/json; charset=utf-16',
    'text/plain',
    'multipart/form-data; boundary=x',
    '',
  ],
  'x-recloser-token': ['', '1.2', `${'9'.repeat(400)}.x`, 'NaN.NaN', '-1.-1'],
  'last-event-id': ['', 'x', `${'a'.repeat(8)}-1`, '00000000-9007199254740993', '../../etc/passwd', '1'.repeat(5_000)],
  'accept-encoding': ['gzip', 'br;q=1, gzip;q=0', '*', 'x'.repeat(1_000)],
  'x-forwarded-for': ['203.0.113.1', '127.0.0.1'],
  authorization: ['Basic Og==', 'Bearer x', 'Basic \u00ff'],
  cookie: ['a=b', '__proto__=1'],
  'content-length': ['0', '5', '999999'],
  range: ['bytes=0-1', 'bytes=-999999999999'],
  upgrade: ['websocket', 'h2c'],
};
const bodies = [
  '',
  '{}',
  '[]',
  'null',
  '"x"',
  '{',
  '{"id":"payments","action":"force-open","reason":"x"}',
  '{"id":"payments","action":"reset","reason":"x","expiresInMs":-1}',
  '{"id":{"toString":1},"action":"__proto__","reason":[]}',
  `{"reason":"${'x'.repeat(10_000)}"}`,
  `${'['.repeat(5_000)}`,
  '\u0000\u0001',
  '{"__proto__":{"role":"write"}}',
];

function oneCase() {
  const query = chance(0.5) ? `?${pick(queries)}${chance(0.3) ? noise(30) : ''}` : '';
  // A request line can't hold blanks.
  const path = `${pick(places)}${chance(0.15) ? `/${noise(60)}` : pick(ends)}${query}`.replace(/\s/g, '') || '/';
  const headers: Record<string, string> = {};
  // Half of them get past the guard, and fuzz what is behind it.
  const stopped = chance(0.5) ? ['host', 'origin', 'sec-fetch-site', 'x-forwarded-for'] : [];
  for (const name of Object.keys(headerPool)) {
    if (name !== 'content-length' && !stopped.includes(name) && chance(name === 'host' ? 0.2 : 0.15))
      headers[name] = chance(0.9) ? pick(headerPool[name] as string[]) : noise(80);
  }
  const body = chance(0.6) ? pick(bodies) : bytes(200);
  // Without a length most of a body would be taken for the next request, and never get to the page.
  if (chance(0.95)) headers['content-length'] = String(Buffer.byteLength(body));
  // A stream has no end to wait for.
  const until = path.includes('/api/stream') ? 'event: ' : undefined;
  return {
    method: pick(methods),
    path: path.startsWith('/') ? path : `/${path}`,
    headers,
    body,
    ...(until && { until }),
  };
}

test(`${cases} requests of any kind: no crash, no 5xx, no change of state`, { timeout: 240_000 }, async () => {
  const { page: mounted, breaker, faults } = page({ actions: true, maxStreams: 10_000 });
  const port = await serving(mounted);
  const before = JSON.stringify(breaker);
  const statuses = new Map<number, number>();
  let left = cases;
  await Promise.all(
    Array.from({ length: parallel }, async () => {
      while (left-- > 0) {
        const asked = oneCase();
        const { status } = await get(port, asked).catch((error: NodeJS.ErrnoException) => {
          // What the client library itself won't send, and connections that the server closes on a broken request.
          if (/ERR_(INVALID_CHAR|UNESCAPED_CHARACTERS)|ECONNRESET|EPIPE|HPE_/.test(`${error.code}`))
            return { status: 0 };
          throw error;
        });
        statuses.set(status, (statuses.get(status) ?? 0) + 1);
        if (status >= 500) throw new Error(`${status} for ${JSON.stringify(asked)}`);
      }
    }),
  );
  expect(faults).toEqual([]);
  expect(JSON.stringify(breaker)).toBe(before);
  expect(breaker.state).toBe('closed');
  // The cases reached what they were made for.
  for (const status of [200, 308, 403, 404, 405]) expect(statuses.get(status) ?? 0, `${status}`).toBeGreaterThan(50);
  expect((await get(port, { path: '/' })).status).toBe(200);
});

test('2,000 orders with a good token, each with something wrong: refused, audited, no change of state', {
  timeout: 120_000,
}, async () => {
  let audits = 0;
  const { page: mounted, breaker, faults } = page({ actions: true, onAction: () => audits++ });
  const port = await serving(mounted);
  const { token } = JSON.parse((await get(port, { path: '/api/session' })).text) as { token: string };
  const before = JSON.stringify(breaker);
  const values: unknown[] = [
    '',
    ' ',
    'x',
    '\u0000',
    0,
    -1,
    null,
    true,
    [],
    {},
    ['x'],
    { toString: 1 },
    'x'.repeat(9_000),
  ];
  const good = { id: 'payments', action: 'force-open', reason: 'fuzz', expiresInMs: 60_000 };
  // What each of these must not be for the order to be good.
  const wrong: Record<string, (value: unknown) => boolean> = {
    id: (value) => value !== 'payments',
    action: () => true,
    reason: (value) => typeof value !== 'string' || value.trim() === '' || value === '\u0000' || value.length > 8_000,
    expiresInMs: () => true,
  };
  for (let i = 0; i < 2_000; i++) {
    const field = pick(Object.keys(wrong));
    const value = pick(values.filter((each) => (wrong[field] as (value: unknown) => boolean)(each)));
    const body = chance(0.2)
      ? bytes(200)
      : JSON.stringify({ ...good, [field]: value, [noise(9)]: noise(9), ['__proto__']: pick(values) });
    const { status } = await get(port, {
      method: 'POST',
      path: '/api/action',
      headers: { 'content-type': 'application/json', 'x-recloser-token': token },
      body,
    });
    if (status === 200) throw new Error(`done: ${body}`);
    expect([400, 404, 413], body).toContain(status);
  }
  expect(audits).toBe(2_000);
  expect(faults).toEqual([]);
  expect(JSON.stringify(breaker)).toBe(before);
});

test('1,000 byte strings that are no HTTP', { timeout: 60_000 }, async () => {
  const { page: mounted, breaker, faults } = page({ actions: true });
  const port = await serving(mounted);
  const before = JSON.stringify(breaker);
  for (let i = 0; i < 1_000; i++) {
    const text = chance(0.5)
      ? bytes(400)
      : `POST /api/action HTTP/1.1\r\nhost: localhost\r\ncontent-length: ${pick(['-1', '5', '1e3', '99999'])}\r\n${bytes(40)}\r\n\r\n${bytes(30)}`;
    await new Promise<void>((resolve) => {
      const socket = createConnection(port, '127.0.0.1', () => socket.end(Buffer.from(text, 'latin1')));
      socket.on('error', () => {});
      socket.on('close', () => resolve());
      socket.resume();
    });
  }
  expect(faults).toEqual([]);
  expect(JSON.stringify(breaker)).toBe(before);
  expect((await get(port, { path: '/' })).status).toBe(200);
});
