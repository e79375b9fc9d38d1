import { createServer } from 'node:http';
import { serve } from '@hono/node-server';
import type { Dashboard } from '@recloser/dashboard';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import Koa from 'koa';
import { describe, expect, test } from 'vitest';
import { act, afterwards, get, listening, page } from './servers.ts';

/** As the documents tell to do it. */
const servers: Record<string, (mounted: Dashboard, prefix: string) => Promise<number>> = {
  'node:http': (mounted) => listening(createServer(mounted)),
  express(mounted, prefix) {
    const app = express();
    app.use(express.json());
    app.use(prefix || '/', mounted);
    return listening(createServer(app));
  },
  async fastify(mounted, prefix) {
    const app = Fastify();
    app.removeAllContentTypeParsers();
    app.addContentTypeParser('*', (_request, _body, done) => done(null));
    app.all(`${prefix}/*`, (request, reply) => {
      reply.hijack();
      mounted(request.raw, reply.raw);
    });
    await app.ready();
    return listening(app.server as never);
  },
  koa(mounted, prefix) {
    const app = new Koa();
    app.use((context, next) => {
      if (!context.path.startsWith(`${prefix}/`)) return next();
      context.respond = false;
      return mounted(context.req, context.res);
    });
    return listening(createServer(app.callback()));
  },
  hono(mounted, prefix) {
    const app = new Hono();
    app.all(`${prefix}/*`, (context) => mounted.fetch(context.req.raw));
    return new Promise((resolve) => {
      const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port));
      afterwards(() => {
        server.close();
        (server as { closeAllConnections?: () => void }).closeAllConnections?.();
      });
    });
  },
};

describe.each(Object.keys(servers))('in %s', (name) => {
  test.each(['', '/ops', '/internal/ops/circuits'])(
    'under %j everything works: page, assets, stream, actions',
    async (prefix) => {
      const { page: mounted, breaker } = page({ actions: true, authorize: () => ({ role: 'write', user: 'ana' }) });
      const port = await (servers[name] as (typeof servers)[string])(mounted, prefix);

      const html = await get(port, { path: `${prefix}/` });
      expect(html.status).toBe(200);
      expect(html.headers['content-security-policy']).toContain("default-src 'none'; script-src 'self'");
      const links = [...html.text.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, link]) => link as string);
      expect(links).toHaveLength(3);
      const script = await get(port, { path: `${prefix}/${links.find((link) => link.endsWith('.js'))}` });
      const [worker] = /assets\/worker-\w+\.js/.exec(script.text) ?? [];
      for (const link of [...links, worker]) {
        const asset = await get(port, { path: `${prefix}/${link}` });
        expect(asset.status, link).toBe(200);
        expect(asset.headers['content-security-policy'], link).toContain("worker-src 'self'");
        expect(asset.headers['cache-control'], link).toContain('immutable');
        expect(asset.text.length).toBeGreaterThan(100);
      }

      const stream = await get(port, { path: `${prefix}/api/stream`, until: '\n\nevent: change' });
      expect(stream.headers['content-type']).toContain('text/event-stream');
      expect(stream.text).toContain('event: snapshot\nid: ');

      const { token } = JSON.parse((await get(port, { path: `${prefix}/api/session` })).text) as { token: string };
      const acted = await get(port, {
        method: 'POST',
        path: `${prefix}/api/action`,
        headers: { 'content-type': 'application/json', 'x-recloser-token': token },
        body: JSON.stringify({ id: 'payments', action: 'force-open', reason: 'a test' }),
      });
      expect(acted.text).toContain('forced-open');
      expect(acted.status).toBe(200);
      expect(breaker.toJSON().forced).toMatchObject({ reason: 'a test', by: 'ana' });
      expect((await get(port, { path: `${prefix}/api/breaker?id=payments` })).text).toContain('"forced-open"');
      expect((await get(port, { path: `${prefix}/api/nothing` })).status).toBe(404);
    },
  );
});

test.each(['express', 'node:http'])(
  'in %s the prefix without its last slash leads to the one with it',
  async (name) => {
    const { page: mounted } = page();
    const port = await (servers[name] as (typeof servers)[string])(mounted, '/ops/circuits');
    const answer = await get(port, { path: '/ops/circuits' });
    expect(answer.status).toBe(308);
    expect(new URL(answer.headers.location as string, `http://x/ops/circuits`).pathname).toBe('/ops/circuits/');
  },
);

test.each(['/internal/api', '/internal/assets', '/ops.v1', '/ops%20v1'])(
  'a prefix may look like a part of the page: %s',
  async (prefix) => {
    const { page: mounted } = page({ actions: true });
    const port = await (servers['node:http'] as (typeof servers)[string])(mounted, prefix);
    const { status, headers } = await get(port, { path: prefix });
    expect(status).toBe(308);
    const { pathname } = new URL(headers.location as string, `http://x${prefix}`);
    expect(pathname).toBe(`${prefix}/`);
    const html = await get(port, { path: pathname });
    expect(html.status).toBe(200);
    for (const [, link] of html.text.matchAll(/(?:src|href)="(assets\/[^"]+)"/g)) {
      expect((await get(port, { path: `${pathname}${link}` })).status, link).toBe(200);
    }
    expect((await get(port, { path: `${pathname}api/session` })).text).toContain('token');
  },
);

test.each([express.json, express.text, express.raw])(
  'a body that another parser has read is an order all the same',
  async (parser) => {
    const app = express();
    app.use(parser({ type: '*/*' }));
    const { page: mounted, breaker } = page({ actions: true });
    app.use(mounted);
    const port = await listening(createServer(app));
    const answer = await act(port, { id: 'payments', action: 'force-open', reason: 'a test' });
    expect(answer.text).toContain('forced-open');
    expect(breaker.state).toBe('forced-open');
  },
);

test('a page that was closed answers that it is, and holds no stream', async () => {
  const { page: mounted } = page();
  const port = await (servers['node:http'] as (typeof servers)[string])(mounted, '');
  mounted.close();
  for (const path of ['/', '/api/breakers', '/api/stream', '/api/session']) {
    expect(await get(port, { path }), path).toMatchObject({ status: 503, text: '{"error":"this page was closed"}' });
  }
  expect(mounted.streams.open).toBe(0);
});
