import { type ApiOptions, endpoints } from './api.ts';
import type { Assets } from './assets.ts';
import { type Exchange, HttpError, json, type Reply } from './exchange.ts';
import type { Guard } from './guard.ts';
import { routeOf } from './routes.ts';

export interface Responder extends ApiOptions {
  readonly guard: Guard;
  readonly assets: Assets;
  readonly report: (fault: unknown) => void;
}

/** Answers whatever comes in; it never rejects. */
export async function respond(options: Responder, exchange: Exchange): Promise<Reply> {
  try {
    const visitor = await options.guard.admit(exchange);
    const { to, name } = routeOf(exchange.path);
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

const notAllowed = (allow: string): HttpError => new HttpError(405, `use ${allow}`, { allow });
