import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Sink } from '../streams/sink.ts';
import { type Exchange, type Reply, securityHeaders, TooLargeError } from './exchange.ts';

/** `::ffff:127.0.0.1` is 127.0.0.1 on a socket of both families. */
export const isLoopback = (address: string | undefined): boolean =>
  address !== undefined && /^(::ffff:)?127\.\d+\.\d+\.\d+$|^::1$/.test(address);

/** A request of `node:http`, or of a framework that hands it on. Express takes the prefix off `url`; `originalUrl` has it. */
export function fromNode(
  request: IncomingMessage & { readonly originalUrl?: unknown; readonly body?: unknown },
): Exchange {
  const target = typeof request.originalUrl === 'string' ? request.originalUrl : (request.url ?? '/');
  const [path = '/', query = ''] = splitOnce(target.replace(/^https?:\/\/[^/]*/i, '').split('#', 1)[0] ?? '/', '?');
  return {
    method: request.method ?? 'GET',
    path: path === '' ? '/' : path,
    query: new URLSearchParams(query),
    header: (name) => {
      const value = request.headers[name] ?? (name === 'host' ? request.headers[':authority'] : undefined);
      return Array.isArray(value) ? value.join(', ') : value;
    },
    local: isLocal(request),
    remoteAddress: request.socket?.remoteAddress,
    body: (maxBytes) => bodyOf(request, maxBytes),
    raw: request,
  };
}

/**
 * A router may pass on what is meant for 127.0.0.1 (CVE-2020-8558), so both ends are looked at. A proxy on this machine forwards
 * from anywhere; those that don't say so mostly speak HTTP/1.0, as nginx does unless told otherwise, which no browser does.
 */
const isLocal = ({ socket, headers, httpVersionMajor, httpVersionMinor }: IncomingMessage): boolean =>
  isLoopback(socket?.localAddress) &&
  isLoopback(socket.remoteAddress) &&
  !(httpVersionMajor === 1 && httpVersionMinor === 0) &&
  !Object.keys(headers).some((name) => /^(x-forwarded-|x-real-ip$|x-client-ip$|forwarded$|via$|cf-)/.test(name));

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

async function bodyOf(request: IncomingMessage & { readonly body?: unknown }, maxBytes: number): Promise<string> {
  // A body parser was here before.
  if (request.readableEnded && request.body !== undefined) {
    const { body } = request;
    // As text, as bytes (`express.raw`), or parsed.
    const raw = typeof body === 'string' || body instanceof Uint8Array;
    const text = raw ? Buffer.from(body as string).toString('utf8') : JSON.stringify(body);
    if (Buffer.byteLength(text) > maxBytes) throw new TooLargeError();
    return text;
  }
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > maxBytes) throw new TooLargeError();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

export function toNode(
  { status, headers, body, stream }: Reply,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  if (response.headersSent || response.destroyed) return;
  for (const [name, value] of Object.entries({ ...securityHeaders, ...headers })) response.setHeader(name, value);
  response.statusCode = status;
  // What was not read of a body must not be taken for the next request.
  if (!request.readableEnded && request.method !== 'GET' && request.method !== 'HEAD')
    response.setHeader('connection', 'close');
  if (stream === undefined || request.method === 'HEAD') {
    const bytes = typeof body === 'string' ? Buffer.from(body) : (body ?? Buffer.alloc(0));
    response.setHeader('content-length', bytes.length);
    response.end(request.method === 'HEAD' ? undefined : bytes);
    return;
  }
  response.flushHeaders();
  stream(sinkOf(response));
}

function sinkOf(response: ServerResponse): Sink {
  response.on('error', () => response.destroy());
  return {
    write: (chunk) => void (response.writable && response.write(chunk)),
    get buffered() {
      return response.writableLength;
    },
    close: (abruptly) => void (abruptly ? response.destroy() : response.end()),
    onClose: (callback) => void response.once('close', callback),
  };
}
