import { expect, test } from 'vitest';
import type { Exchange } from './exchange.ts';
import { type Authorize, Guard, type Visitor } from './guard.ts';

interface Given {
  readonly headers?: Record<string, string>;
  readonly method?: string;
  readonly local?: boolean | undefined;
}

const exchange = ({ headers = {}, method = 'GET', ...rest }: Given): Exchange => {
  const all: Record<string, string> = { host: 'localhost:8420', ...headers };
  return {
    method,
    path: '/',
    query: new URLSearchParams(),
    header: (name) => all[name],
    local: 'local' in rest ? rest.local : true,
    remoteAddress: '127.0.0.1',
    body: async () => '',
    raw: undefined,
  };
};

const guard = (authorize?: Authorize, options: { hosts?: string[]; actions?: boolean; challenge?: string } = {}) =>
  new Guard({
    authorize,
    hosts: new Set(options.hosts),
    challenge: options.challenge,
    actions: options.actions ?? true,
    report: () => {},
  });

const admitted = (given: Given, by = guard()): Promise<Visitor> => by.admit(exchange(given));

test.each(['localhost', 'localhost:1', 'app.localhost:80', '127.0.0.1:8420', '127.1.2.3', '[::1]:8420'])(
  'this machine as %s',
  async (host) => {
    await expect(admitted({ headers: { host } })).resolves.toMatchObject({ role: 'write' });
  },
);

test.each([
  'evil.example',
  'localhost.evil.example',
  '127.0.0.1.evil.example',
  '',
  'localhost@evil',
  '0x7f.1',
  '[::ffff:1.2.3.4]',
  'localhost:x',
])('a Host of %j is refused: DNS rebinding', async (host) => {
  await expect(admitted({ headers: { host } })).rejects.toMatchObject({ status: 403 });
});

test('another name must be known', async () => {
  const known = guard(() => 'read', { hosts: ['ops.example.com'] });
  await expect(admitted({ headers: { host: 'ops.example.com:443' }, local: false }, known)).resolves.toMatchObject({
    role: 'read',
  });
  await expect(admitted({ headers: { host: 'other.example.com' } }, known)).rejects.toMatchObject({ status: 403 });
});

test.each([
  [{ origin: 'http://evil.example' }],
  [{ origin: 'null' }],
  [{ origin: 'http://localhost:8421' }],
  [{ 'sec-fetch-site': 'cross-site' }],
  [{ 'sec-fetch-site': 'same-site' }],
])('another origin is refused: %j', async (headers) => {
  await expect(admitted({ headers, method: 'POST' })).rejects.toMatchObject({ status: 403 });
  await expect(admitted({ headers })).rejects.toMatchObject({ status: 403 });
});

test('the page itself, and a link to it from elsewhere, are let in', async () => {
  await expect(
    admitted({ headers: { origin: 'http://localhost:8420', 'sec-fetch-site': 'same-origin' }, method: 'POST' }),
  ).resolves.toBeDefined();
  await expect(
    admitted({ headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' } }),
  ).resolves.toBeDefined();
  await expect(
    admitted({ headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate' }, method: 'POST' }),
  ).rejects.toBeDefined();
});

test('without authorize nobody from elsewhere is let in, whatever Host they claim', async () => {
  await expect(admitted({ local: false })).rejects.toMatchObject({ status: 403 });
  await expect(admitted({ local: undefined })).rejects.toThrow('authorize');
});

test('what authorize answers decides; whatever else it does, nobody', async () => {
  await expect(
    admitted(
      {},
      guard(async () => ({ role: 'write', user: 'ana' })),
    ),
  ).resolves.toEqual({ role: 'write', user: 'ana' });
  for (const answer of [undefined, null, false, true, 'admin', {}, { role: 'root' }, 7]) {
    await expect(
      admitted(
        {},
        guard(() => answer as never),
      ),
      String(answer),
    ).rejects.toMatchObject({ status: 403 });
  }
  const thrower = guard(() => {
    throw new Error('the directory is down');
  });
  await expect(admitted({}, thrower)).rejects.toMatchObject({ status: 403 });
  await expect(
    admitted(
      {},
      guard(() => undefined, { challenge: 'Basic realm="x"' }),
    ),
  ).rejects.toMatchObject({
    status: 401,
    headers: { 'www-authenticate': 'Basic realm="x"' },
  });
});

test('a name that authorize gives is one line: it ends in logs', async () => {
  const forger = guard(() => ({ role: 'write', user: 'ana\r\nINFO all is well\u202e' }));
  await expect(admitted({}, forger)).resolves.toEqual({ role: 'write', user: 'ana INFO all is well' });
});

test('with actions off everybody reads', async () => {
  await expect(
    admitted(
      {},
      guard(() => 'write', { actions: false }),
    ),
  ).resolves.toMatchObject({ role: 'read' });
  await expect(admitted({}, guard(undefined, { actions: false }))).resolves.toMatchObject({ role: 'read' });
});
