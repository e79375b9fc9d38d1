import { request as ask, createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Dashboard, type DashboardOptions, dashboard } from '@recloser/dashboard';
import { type CircuitBreaker, circuitBreaker } from 'recloser';
import { afterEach } from 'vitest';

const ending: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ending.splice(0).reverse()) await end();
});

/** Ends something when the test is over, however that ends. */
export const afterwards = (end: () => unknown): void => void ending.push(end);

export function page(options: Partial<DashboardOptions> = {}): {
  page: Dashboard;
  breaker: CircuitBreaker;
  faults: unknown[];
} {
  const breaker = circuitBreaker({ name: 'payments', failureThreshold: 2 });
  const faults: unknown[] = [];
  const made = dashboard({ breakers: [breaker], instance: 'here', onError: (fault) => faults.push(fault), ...options });
  afterwards(made.close);
  return { page: made, breaker, faults };
}

export async function serving(handler: Parameters<typeof createServer>[1]): Promise<number> {
  return listening(createServer(handler as never));
}

export async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  afterwards(() => {
    server.close();
    server.closeAllConnections();
  });
  return (server.address() as AddressInfo).port;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

export interface Asked {
  readonly method?: string;
  readonly path?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  /** Resolves as soon as this is in the body; a stream has no end to wait for. */
  readonly until?: string;
}

/** Asks as a client that may say whatever it likes, which `fetch` may not. */
export function get(
  port: number,
  { method = 'GET', path = '/', headers = {}, body, until }: Asked = {},
): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const call = ask({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      let text = '';
      const done = () => resolve({ status: response.statusCode ?? 0, headers: response.headers, text });
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
        if (until === undefined || !text.includes(until)) return;
        done();
        call.destroy();
      });
      response.on('end', done);
      response.on('error', reject);
    });
    call.on('error', reject);
    call.end(body);
  });
}

/** What the page's own script would send. */
export async function act(port: number, order: object, headers: Record<string, string> = {}): Promise<Answer> {
  const { token } = JSON.parse((await get(port, { path: '/api/session' })).text) as { token?: string };
  return get(port, {
    method: 'POST',
    path: '/api/action',
    headers: { 'content-type': 'application/json', 'x-recloser-token': token ?? '', ...headers },
    body: JSON.stringify(order),
  });
}
