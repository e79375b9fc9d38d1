import { readOrder } from '../actions/order.ts';
import { markdownOf } from '../incident/markdown.ts';
import { line } from '../protocol/line.ts';
import type { Session } from '../protocol/messages.ts';
import type { Audit } from '../protocol/outcome.ts';
import type { Source } from '../sources/source.ts';
import type { Hub } from '../streams/hub.ts';
import { type Exchange, HttpError, json, type Reply, TooLargeError } from './exchange.ts';
import type { Visitor } from './guard.ts';
import type { Tokens } from './token.ts';

const longestOrder = 8 * 1024;

export interface ApiOptions {
  readonly title: string;
  readonly source: Source;
  readonly hub: Hub;
  readonly tokens: Tokens;
  readonly onAction: (audit: Audit) => void;
}

/** What the audit of an order says that nobody has read. */
export const nothingAsked: Omit<Audit, 'at' | 'user' | 'remoteAddress'> = {
  claimedBy: undefined,
  action: undefined,
  breaker: undefined,
  reason: undefined,
  expiresInMs: undefined,
  outcomes: [],
};

type Endpoint = (options: ApiOptions, exchange: Exchange, visitor: Visitor) => Reply | Promise<Reply>;

/** The endpoints below `api/`, by method. */
export const endpoints: Readonly<Record<string, Readonly<Record<string, Endpoint>>>> = {
  session: { GET: session },
  stream: { GET: stream },
  breakers: { GET: ({ source }, { query }) => json(source.snapshot(query.get('own') === '1')) },
  breaker: { GET: breaker },
  incident: { GET: incident },
  action: { POST: action },
};

function session({ title, source, tokens }: ApiOptions, _exchange: Exchange, { role, user }: Visitor): Reply {
  const told: Session = {
    title,
    role,
    recorded: source.recorded,
    user,
    token: role === 'write' ? tokens.issue(user) : undefined,
  };
  return json(told);
}

function stream({ hub }: ApiOptions, exchange: Exchange): Reply {
  if (hub.full) throw new HttpError(503, 'too many open pages', { 'retry-after': '5' });
  const lastEventId = exchange.header('last-event-id');
  const own = exchange.query.get('own') === '1';
  return {
    status: 200,
    headers: {
      'content-type': 'text/event-stream; charset=utf-8',
      // Proxies must pass on each message as it comes.
      'cache-control': 'no-store, no-transform',
      'x-accel-buffering': 'no',
    },
    stream: (sink) => hub.open(sink, lastEventId, own),
  };
}

async function breaker({ source }: ApiOptions, { query }: Exchange): Promise<Reply> {
  const detail = await source.detail(query.get('id') ?? '', query.get('instance') ?? undefined);
  if (detail === undefined) throw new HttpError(404, 'no such breaker');
  return json(detail);
}

async function incident({ source }: ApiOptions, { query }: Exchange): Promise<Reply> {
  const found = await source.incident(query.get('id') ?? undefined);
  if (query.has('id') && found.breakers.length === 0) throw new HttpError(404, 'no such breaker');
  if (query.get('format') !== 'md') return json(found);
  return { status: 200, headers: { 'content-type': 'text/markdown; charset=utf-8' }, body: markdownOf(found) };
}

/** Who gave an order: whoever `authorize` knows, whatever they say of themselves; a peer says for whom it asks. */
const nameOf = (user: string | undefined, by: string | undefined): string =>
  user === undefined ? (by ?? 'somebody on the page') : by === undefined ? user : `${user} for ${by}`;

/** Every order ends in one audit, whatever becomes of it. */
async function action(
  { source, tokens, onAction }: ApiOptions,
  exchange: Exchange,
  { role, user }: Visitor,
): Promise<Reply> {
  let audit = nothingAsked;
  try {
    if (role !== 'write') throw new HttpError(403, 'actions are off, or not yours to take');
    if (!tokens.isGood(exchange.header('x-recloser-token'), user))
      throw new HttpError(403, 'the token is missing or out of date: load the page again');
    if (!/^application\/json\b/i.test(exchange.header('content-type') ?? '')) throw new HttpError(415, 'send JSON');
    const order = readOrder(await exchange.body(longestOrder));
    const { id, deed, reason, expiresInMs, by: claimedBy } = order;
    audit = { claimedBy, action: deed, breaker: line(id, 300), reason, expiresInMs, outcomes: [] };
    const outcomes = await source.perform(order, nameOf(user, claimedBy));
    audit = { ...audit, outcomes };
    if (outcomes.length === 0) throw new HttpError(404, 'no such breaker');
    return json({ outcomes });
  } catch (fault) {
    const known = fault instanceof TooLargeError ? new HttpError(413, 'that is too long') : fault;
    audit = { ...audit, refused: known instanceof HttpError ? known.message : 'it failed' };
    throw known;
  } finally {
    onAction({ at: Date.now(), user, remoteAddress: exchange.remoteAddress, ...audit });
  }
}
