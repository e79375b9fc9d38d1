import { createServer } from 'node:http';
import { serve } from '@hono/node-server';
import compression from 'compression';
import express from 'express';
import Fastify from 'fastify';
import { Hono } from 'hono';
import { compress } from 'hono/compress';
import Koa from 'koa';
import type { HttpRequest } from 'recloser/telemetry';
import type { StreamResponse } from 'recloser/telemetry/hystrix';
import { afterwards, listening } from '../dashboard/servers.ts';

export interface Mounted {
  readonly handler: (request: HttpRequest, response: StreamResponse) => void;
  readonly fetch: (request: HttpRequest) => Response;
}

/** Routes below a prefix, in the way of the documents; each answers with its port. */
export type Mount = (routes: Routes, prefix: string) => Promise<number>;
type Routes = Readonly<Record<string, Mounted>>;

export const frameworks: Readonly<Record<string, Mount>> = {
  'node:http'(routes, prefix) {
    return listening(
      createServer((request, response) => {
        const route = routes[(request.url ?? '').slice(prefix.length)];
        if (route) route.handler(request, response);
        else response.writeHead(404).end();
      }),
    );
  },
  express: (routes, prefix) => onExpress(express(), routes, prefix),
  'express with compression': (routes, prefix) => onExpress(express().use(compression()), routes, prefix),
  async fastify(routes, prefix) {
    const app = Fastify();
    await app.register(
      async (scope) => {
        for (const [path, { handler }] of Object.entries(routes)) {
          scope.get(path, (request, reply) => {
            reply.hijack();
            handler(request.raw, reply.raw);
          });
        }
      },
      { prefix },
    );
    await app.ready();
    return listening(app.server as never);
  },
  koa(routes, prefix) {
    const app = new Koa();
    // It tells of every connection that breaks.
    app.on('error', () => {});
    app.use((context, next) => {
      const route = context.path.startsWith(prefix) ? routes[context.path.slice(prefix.length)] : undefined;
      if (route === undefined) return next();
      context.respond = false;
      return route.handler(context.req, context.res);
    });
    return listening(createServer(app.callback()));
  },
  hono: (routes, prefix) => onHono(new Hono(), routes, prefix),
  'hono with compression': (routes, prefix) => onHono(new Hono().use(compress()), routes, prefix),
};

function onExpress(app: express.Express, routes: Routes, prefix: string): Promise<number> {
  const router = express.Router();
  for (const [path, { handler }] of Object.entries(routes)) router.get(path, handler);
  app.use(express.json());
  app.use(prefix || '/', router);
  return listening(createServer(app));
}

function onHono(app: Hono, routes: Routes, prefix: string): Promise<number> {
  for (const [path, { fetch }] of Object.entries(routes)) app.get(prefix + path, (context) => fetch(context.req.raw));
  return new Promise((resolve) => {
    const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }, ({ port }) => resolve(port));
    afterwards(() => {
      server.close();
      (server as { closeAllConnections?: () => void }).closeAllConnections?.();
    });
  });
}
