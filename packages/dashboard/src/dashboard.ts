import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Allowance } from './http/allowance.ts';
import { Assets } from './http/assets.ts';
import { fromFetch, toFetch } from './http/fetch.ts';
import { Guard, isLoopbackName } from './http/guard.ts';
import { fromNode, isLoopback, toNode } from './http/node.ts';
import { type Responder, respond } from './http/respond.ts';
import { Tokens } from './http/token.ts';
import { type DashboardOptions, readOptions } from './options.ts';
import type { Incident } from './protocol/detail.ts';
import { LiveSource } from './sources/live.ts';
import { RecordedSource } from './sources/recorded.ts';
import type { Source } from './sources/source.ts';
import { Hub } from './streams/hub.ts';

/** Where `listen` listens. */
export interface ListenOptions {
  /** 0 … 65,535, 0 for any that is free; the first free one from 8420 on unless given. */
  readonly port?: number | undefined;
  /** `127.0.0.1` unless given; any other needs `authorize`. */
  readonly host?: string | undefined;
  /** Other handlers of this server, by path, e.g. `/metrics`. They answer whoever asks: guard them yourself. */
  readonly beside?: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> | undefined;
}

/** Where the page is, and how to end it. */
export interface Listening {
  readonly url: string;
  close(): Promise<void>;
}

/** A dashboard is a request handler of `node:http`, and has one of the Fetch standard. */
export interface Dashboard {
  (request: IncomingMessage, response: ServerResponse): void;
  /** For Hono, Deno, Bun and route handlers. It needs `authorize`: a Fetch request does not say where it came from. */
  readonly fetch: (request: Request) => Promise<Response>;
  /** A server of its own. @throws TypeError off loopback without `authorize` */
  listen(options?: ListenOptions): Promise<Listening>;
  /**
   * One breaker, or all that are not closed or have a history, here or with a peer, as JSON that the page opens again. Of more than
   * fifty those that are worst off.
   */
  incident(breaker?: string): Promise<Incident>;
  /** Open pages, and how many were dropped because they did not keep up. */
  readonly streams: { readonly open: number; readonly dropped: number };
  /** Stops watching and ends the open pages. */
  close(): void;
}

const [firstPort, triedPorts] = [8420, 20];

/**
 * The live page of circuit breakers. It reads them once a second and listens to their events; it changes nothing unless
 * `actions` are on and somebody takes one.
 *
 * @throws TypeError with all faults of the options together
 * @example
 * const page = dashboard({ breakers: [payments, search] });
 * const { url } = await page.listen();          // on 127.0.0.1
 * app.use('/ops/circuits', page);               // or inside Express, under any prefix
 */
export function dashboard(options: DashboardOptions): Dashboard {
  const settings = readOptions(options);
  const { clock, maxStreams, incident, title, report, onAction } = settings;
  const hub = new Hub({ clock, maxStreams, snapshot: (own) => source.snapshot(own) });
  const source: Source =
    incident === undefined
      ? new LiveSource({ ...settings, publish: (event, data, own) => hub.publish(event, data, own) })
      : new RecordedSource(incident);
  const responder: Responder = {
    title: incident?.title ?? title,
    source,
    hub,
    tokens: new Tokens(() => Date.now()),
    guard: new Guard(settings),
    strangers: new Allowance(10, () => clock.now()),
    assets: new Assets(),
    report,
    onAction: (audit) => {
      try {
        // It may be async: it writes somewhere.
        Promise.resolve(onAction(audit)).catch(report);
      } catch (fault) {
        report(fault);
      }
    },
  };
  const servers = new Set<Server>();

  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    respond(responder, fromNode(request))
      .then((reply) => toNode(reply, request, response))
      .catch((fault: unknown) => {
        report(fault);
        response.destroy();
      });
  };
  return Object.defineProperties(
    Object.assign(handle, {
      fetch: async (request: Request) => toFetch(await respond(responder, fromFetch(request)), request.method),
      incident: (breaker?: string) => source.incident(breaker),
      listen: async ({ port, host = '127.0.0.1', beside = {} }: ListenOptions = {}): Promise<Listening> => {
        if (settings.authorize === undefined && !isLoopback(host) && !isLoopbackName(host)) {
          throw new TypeError(`dashboard: listening on ${host} needs \`authorize\`: everybody there could look`);
        }
        const others = new Map(Object.entries(beside));
        const server = createServer((request, response) => {
          const other = others.get(request.url?.split('?', 1)[0] ?? '');
          (other ?? handle)(request, response);
        });
        servers.add(server);
        const bound = await listening(server, host, port);
        // A name may mean another machine's address, whatever it sounds like.
        if (settings.authorize === undefined && !isLoopback(bound.address)) {
          await closed(server);
          throw new TypeError(`dashboard: ${host} is ${bound.address} here, which needs \`authorize\``);
        }
        const shown = host.includes(':') ? `[${host}]` : host;
        return { url: `http://${shown}:${bound.port}/`, close: () => closed(server) };
      },
      close: () => {
        source.close();
        hub.close();
        for (const server of servers) void closed(server);
      },
    }),
    { streams: { get: () => ({ open: hub.size, dropped: hub.dropped }) } },
  ) as Dashboard;
}

async function listening(server: Server, host: string, port: number | undefined): Promise<AddressInfo> {
  for (let tried = 0; ; tried++) {
    const attempt = port ?? (tried < triedPorts ? firstPort + tried : 0);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(attempt, host, () => {
          server.off('error', reject);
          resolve();
        });
      });
      return server.address() as AddressInfo;
    } catch (fault) {
      if (port !== undefined || (fault as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw fault;
    }
  }
}

const closed = (server: Server): Promise<void> =>
  new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
