import { read } from '../../core/check.ts';
import { systemClock, unref, wallTime } from '../../core/time/clock.ts';
import { type ChannelName, type Messages, subscribe, type Teller } from '../channels.ts';
import { answer, answered, begin, type HttpRequest, type HttpResponse, onlyRead, type Reply } from '../http.ts';
import { messageOf } from './command.ts';
import { type HystrixOptions, hystrixOptions } from './options.ts';
import { Readers } from './readers.ts';
import { Roster, type Watched } from './roster.ts';

/** What a stream needs of a response of `node:http`. */
export interface StreamResponse extends HttpResponse {
  /** Returns false if it wants no more until `drain`. */
  write(chunk: Uint8Array): boolean;
  /** Listens to `drain`, `close` and `error`. */
  on(event: string, listener: () => void): unknown;
  /** Ends the connection. */
  destroy(): unknown;
}

/** A request handler for `node:http`, Express and the like, with one for the Fetch standard. */
export interface Hystrix {
  (request: HttpRequest, response: StreamResponse): void;
  /** For Hono, Deno, Bun and route handlers. */
  readonly fetch: (request: HttpRequest) => Response;
  /** How many streams are open. */
  readonly connections: number;
  /** Ends the streams and listens no more. */
  close(): void;
}

const encoder = new TextEncoder();
/** Hystrix's own, when there is nothing to tell (`HystrixSampleSseServlet.java`). */
const ping = encoder.encode('ping: \n\n');
/** How many commands are told in one turn: thousands of breakers take several turns, and none takes long. */
const commandsATurn = 500;

const streamHead = {
  status: 200,
  headers: {
    'content-type': 'text/event-stream;charset=UTF-8',
    // Hystrix's own, and no compression on the way: a middleware would keep message after message until it has a block full.
    'cache-control': 'no-cache, no-store, max-age=0, must-revalidate, no-transform',
    pragma: 'no-cache',
    // Proxies must pass on each message as it comes.
    'x-accel-buffering': 'no',
  },
};

const discovering = [
  'recloser:policy:created',
  ...(['opened', 'half-opened', 'closed', 'forced', 'released', 'updated'] as const).map(
    (event) => `recloser:circuit-breaker:${event}` as const,
  ),
  'recloser:circuit-breaker-registry:added',
] as const;

/** Whether it is a command: breakers of a registry are told by the registry. */
const isCommand = ({ kind, kept }: Teller): boolean =>
  kind === 'circuit-breaker-registry' || (kind === 'circuit-breaker' && kept === undefined);

/**
 * A `/hystrix.stream` of all breakers of the process, for a Hystrix dashboard or for Turbine. A registry is one command, its parent another.
 * While no stream is open, nothing is read and no timer runs.
 *
 * @throws TypeError, RangeError with all faults of the options together
 * @example
 * const stream = hystrix({ group: 'shop' });
 * app.get('/hystrix.stream', stream);
 */
export function hystrix(options: HystrixOptions = {}): Hystrix {
  const given = read('hystrix', options, hystrixOptions);
  const { policies = [], group = 'recloser', intervalMs = 500, maxConnections = 5, clock = systemClock } = given;
  const roster = new Roster();
  const readers = new Readers();
  let timer: unknown;
  let next = 0;
  let isClosed = false;

  for (const policy of policies) roster.add(policy);
  const known: (() => void)[] = [];
  const hear = <N extends ChannelName>(offs: (() => void)[], name: N, hearer: (message: Messages[N]) => void): void =>
    void offs.push(subscribe(name, hearer));
  for (const name of discovering) {
    hear(known, name, ({ policy }) => {
      // What is told of a registry's breaker tells that there is the registry.
      const command = policy.keeper ?? policy;
      if (!isCommand(command)) return;
      const added = roster.add(command as unknown as Watched);
      // Its window begins now, not with its turn.
      if (timer !== undefined) for (const command of added) command.read(clock.now(), group);
    });
  }
  hear(known, 'recloser:policy:disposed', ({ policy }) => {
    if (isCommand(policy)) roster.remove(policy as unknown as Watched);
  });

  /** What `metrics()` does not tell apart, heard while somebody looks. */
  const details: (() => void)[] = [];
  const start = (): void => {
    hear(details, 'recloser:circuit-breaker:rejected', ({ policy, payload }) => {
      const command = payload.reason === 'bulkhead-full' ? roster.find(policy.label) : undefined;
      if (command) command.total.full++;
    });
    hear(details, 'recloser:circuit-breaker:fallback-failed', ({ policy }) => {
      const command = roster.find(policy.label);
      if (command) command.total.fallbackFailed++;
    });
    for (const command of roster.all) command.read(clock.now(), group);
    turn();
  };
  const stop = (): void => {
    clock.clearTimeout(timer);
    timer = undefined;
    for (const off of details.splice(0)) off();
    for (const command of roster.all) command.rest();
  };

  const turn = (): void => {
    const all = roster.all;
    if (next >= all.length) next = 0;
    const now = clock.now();
    const currentTime = wallTime();
    let text = '';
    for (const command of all.slice(next, (next += commandsATurn))) {
      const figures = command.read(now, group);
      if (figures === undefined) roster.forget(command.name);
      else text += `data: ${JSON.stringify(messageOf(figures, currentTime))}\n\n`;
    }
    readers.send(text === '' ? ping : encoder.encode(text), now);
    if (readers.size === 0) {
      stop();
      return;
    }
    timer = clock.setTimeout(turn, intervalMs);
    unref(timer);
  };
  const open = (reader: Parameters<Readers['add']>[0]) => {
    const place = readers.add(reader);
    if (timer === undefined) start();
    else reader.write(ping);
    return {
      drained: place.drained,
      gone: () => {
        place.gone();
        if (readers.size === 0 && timer !== undefined) stop();
      },
    };
  };

  const refusal = (request: HttpRequest): Reply | undefined => {
    const headers = { 'content-type': 'text/plain; charset=utf-8', 'cache-control': 'no-store' };
    const busy = isClosed ? 'closed\n' : `no more than ${maxConnections} streams at a time\n`;
    if (isClosed || readers.size >= maxConnections) return { status: 503, headers, body: busy };
    return onlyRead(request) ?? (request.method === 'HEAD' ? { ...streamHead, body: '' } : undefined);
  };

  const handle = (request: HttpRequest, response: StreamResponse): void => {
    const refused = refusal(request);
    if (refused) {
      answer(refused, request, response);
      return;
    }
    begin(response, streamHead);
    const { drained, gone } = open({
      write: (chunk) => response.write(chunk) !== false,
      end: () => void response.end(),
      cut: () => void response.destroy(),
    });
    response.on('drain', drained);
    response.on('close', gone);
    response.on('error', () => response.destroy());
  };

  const fetch = (request: HttpRequest): Response => {
    const refused = refusal(request);
    if (refused) return answered(refused, request);
    let place: ReturnType<typeof open> | undefined;
    const body = new ReadableStream<Uint8Array>(
      {
        start(controller) {
          place = open({
            write: (chunk) => {
              controller.enqueue(chunk);
              return (controller.desiredSize ?? 0) > 0;
            },
            end: () => controller.close(),
            cut: () => controller.error(new Error('the reader was too slow')),
          });
        },
        pull: () => place?.drained(),
        cancel: () => place?.gone(),
      },
      new ByteLengthQueuingStrategy({ highWaterMark: 1 }),
    );
    return new Response(body, streamHead);
  };

  const close = (): void => {
    isClosed = true;
    for (const off of known.splice(0)) off();
    readers.end();
    if (timer !== undefined) stop();
  };
  return Object.defineProperty(Object.assign(handle, { fetch, close }), 'connections', {
    get: () => readers.size,
  }) as unknown as Hystrix;
}
