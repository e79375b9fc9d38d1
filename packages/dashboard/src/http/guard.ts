import { line } from '../protocol/line.ts';
import { type Exchange, HttpError } from './exchange.ts';

/** What somebody may do. */
export type Role = 'read' | 'write';

/** Who is asking, for `authorize`. */
export interface AccessRequest {
  readonly method: string;
  readonly path: string;
  /** A header of the request, by its lower-case name. */
  header(name: string): string | undefined;
  readonly remoteAddress: string | undefined;
  /** The server's own request: `IncomingMessage` or `Request`. */
  readonly raw: unknown;
}

/** `undefined` for somebody who may not even look; `user` is who actions are told to be by. */
export type Access = Role | { readonly role: Role; readonly user?: string } | undefined;

export type Authorize = (request: AccessRequest) => Access | Promise<Access>;

export interface Visitor {
  readonly role: Role;
  readonly user: string | undefined;
}

export interface GuardOptions {
  readonly authorize: Authorize | undefined;
  /** Lower-case host names, without ports. */
  readonly hosts: ReadonlySet<string>;
  readonly challenge: string | undefined;
  readonly actions: boolean;
  readonly report: (fault: unknown) => void;
}

/** The name in a Host header or an origin, without port; `undefined` if it can't be one. */
export function hostName(authority: string | undefined): string | undefined {
  const [, name] = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/i.exec(authority ?? '') ?? [];
  return name?.toLowerCase();
}

export const isLoopbackName = (name: string): boolean =>
  name === 'localhost' || name.endsWith('.localhost') || name === '[::1]' || /^127(\.\d{1,3}){3}$/.test(name);

/** Lets nobody in by mistake: the Host must be known (DNS rebinding), an Origin must be the page's own, and somebody must say yes. */
export class Guard {
  readonly #options: GuardOptions;

  constructor(options: GuardOptions) {
    this.#options = options;
  }

  /** @throws HttpError if it is not let in */
  async admit(exchange: Exchange): Promise<Visitor> {
    this.#checkHost(exchange);
    this.#checkOrigin(exchange);
    const { authorize, actions, challenge, report } = this.#options;
    if (authorize === undefined) {
      if (exchange.local === undefined) {
        throw new HttpError(403, 'a Fetch request does not say where it came from: give the dashboard `authorize`');
      }
      if (!exchange.local) throw new HttpError(403, 'without `authorize` the dashboard answers this machine only');
      return { role: actions ? 'write' : 'read', user: undefined };
    }
    let access: Access;
    try {
      const { method, path, remoteAddress, raw } = exchange;
      access = await authorize({ method, path, remoteAddress, raw, header: (name) => exchange.header(name) });
    } catch (fault) {
      report(fault);
    }
    const { role, user } = typeof access === 'object' && access !== null ? access : { role: access, user: undefined };
    if (role !== 'read' && role !== 'write') {
      if (challenge === undefined) throw new HttpError(403, 'you may not look at this page');
      throw new HttpError(401, 'who are you?', { 'www-authenticate': challenge });
    }
    return { role: actions ? role : 'read', user: line(user, 60) || undefined };
  }

  #checkHost(exchange: Exchange): void {
    const name = hostName(exchange.header('host'));
    if (name !== undefined && (isLoopbackName(name) || this.#options.hosts.has(name))) return;
    throw new HttpError(
      403,
      `the dashboard is not known as '${(name ?? '').slice(0, 100)}': add the name to its option \`hosts\``,
    );
  }

  #checkOrigin(exchange: Exchange): void {
    const site = exchange.header('sec-fetch-site');
    const origin = exchange.header('origin');
    // A link from elsewhere may lead here; anything else from elsewhere may not.
    const isLink = exchange.method === 'GET' && exchange.header('sec-fetch-mode') === 'navigate';
    const foreign = site !== undefined && site !== 'same-origin' && site !== 'none' && !isLink;
    const other = origin !== undefined && origin.replace(/^https?:\/\//i, '') !== exchange.header('host');
    if (foreign || other) throw new HttpError(403, 'only the page itself may ask for this');
  }
}
