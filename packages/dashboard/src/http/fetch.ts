import type { Sink } from '../streams/sink.ts';
import { type Exchange, type Reply, securityHeaders, TooLargeError } from './exchange.ts';

/** A request of the Fetch standard: Hono, Deno, Bun, route handlers. It does not say which machine it came from. */
export function fromFetch(request: Request): Exchange {
  const { pathname, searchParams, host } = new URL(request.url);
  return {
    method: request.method,
    path: pathname,
    query: searchParams,
    header: (name) => request.headers.get(name) ?? (name === 'host' ? host : undefined),
    local: undefined,
    remoteAddress: undefined,
    body: (maxBytes) => bodyOf(request, maxBytes),
    raw: request,
  };
}

async function bodyOf(request: Request, maxBytes: number): Promise<string> {
  const decoder = new TextDecoder();
  let size = 0;
  let text = '';
  for await (const chunk of (request.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > maxBytes) throw new TooLargeError();
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

export function toFetch({ status, headers, body, stream }: Reply, method: string): Response {
  const all = { ...securityHeaders, ...headers };
  if (method === 'HEAD') return new Response(null, { status, headers: all });
  if (stream === undefined)
    return new Response((body ?? null) as string | Uint8Array<ArrayBuffer> | null, { status, headers: all });
  return new Response(streamed(stream), { status, headers: all });
}

function streamed(begin: (sink: Sink) => void): ReadableStream<Uint8Array> {
  let closed: (() => void) | undefined;
  const end = () => {
    closed?.();
    closed = undefined;
  };
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        begin({
          write: (chunk) => controller.enqueue(chunk),
          // The strategy counts bytes down from 0.
          get buffered() {
            return -(controller.desiredSize ?? 0);
          },
          close(abruptly) {
            if (abruptly) controller.error(new Error('the reader was too slow'));
            else controller.close();
            end();
          },
          onClose: (callback) => void (closed = callback),
        });
      },
      cancel: end,
    },
    new ByteLengthQueuingStrategy({ highWaterMark: 0 }),
  );
}
