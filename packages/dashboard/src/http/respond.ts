import type { Allowance } from './allowance.ts';
import { type ApiOptions, endpoints, nothingAsked } from './api.ts';
import type { Assets } from './assets.ts';
import { type Exchange, HttpError, json, type Reply } from './exchange.ts';
import type { Guard, Visitor } from './guard.ts';
import { routeOf } from './routes.ts';

export interface Responder extends ApiOptions {
  readonly guard: Guard;
  readonly assets: Assets;
  readonly report: (fault: unknown) => void;
  /** How many audits of people who were not let in are left. */
  readonly strangers: Allowance;
}

/** Answers whatever comes in; it never rejects. */
export async function respond(options: Responder, exchange: Exchange): Promise<Reply> {
  try {
    const { to, name } = routeOf(exchange.path);
    const visitor = await admitted(options, exchange, to === 'api' && name === 'action');
    // What it would show goes on without it.
    if (options.hub.closed) throw new HttpError(503, 'this page was closed');
    const methods = to === 'api' && Object.hasOwn(endpoints, name) ? endpoints[name] : undefined;
    if (methods !== undefined) {
      const method = exchange.method === 'HEAD' ? 'GET' : exchange.method;
      const endpoint = Object.hasOwn(methods, method) ? methods[method] : undefined;
      if (endpoint === undefined) throw notAllowed(Object.keys(methods).join(', '));
      // The head of a stream has no end to wait for.
      return await endpoint(options, exchange, visitor);
    }
    if (to === 'nowhere' || to === 'api') throw new HttpError(404, 'nothing is here');
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') throw notAllowed('GET, HEAD');
    if (to === 'slash') return { status: 308, headers: { location: `${name}/` } };
    return options.assets.serve(name, exchange);
  } catch (fault) {
    if (fault instanceof HttpError) {
      const reply = json({ error: fault.message }, fault.status);
      return { ...reply, headers: { ...reply.headers, ...fault.headers } };
    }
    options.report(fault);
    return json({ error: 'it failed' }, 500);
  }
}

/** Whoever tries to act and is not even let in is told of too, though not as often as they like. */
async function admitted(options: Responder, exchange: Exchange, acts: boolean): Promise<Visitor> {
  try {
    return await options.guard.admit(exchange);
  } catch (fault) {
    if (acts && exchange.method === 'POST' && options.strangers.take()) {
      const { remoteAddress } = exchange;
      const refused = (fault as Error).message;
      options.onAction({ at: Date.now(), user: undefined, remoteAddress, ...nothingAsked, refused });
    }
    throw fault;
  }
}

const notAllowed = (allow: string): HttpError => new HttpError(405, `use ${allow}`, { allow });
