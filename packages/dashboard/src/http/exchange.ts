import type { Sink } from '../streams/sink.ts';

/** A request, whichever kind of server it came through. */
export interface Exchange {
  readonly method: string;
  /** As the browser sees it: whatever prefix the page is mounted under is part of it. */
  readonly path: string;
  readonly query: URLSearchParams;
  header(name: string): string | undefined;
  /** Whether the connection began on this machine; `undefined` where nobody can know. */
  readonly local: boolean | undefined;
  readonly remoteAddress: string | undefined;
  /** The body as text. @throws TooLargeError */
  body(maxBytes: number): Promise<string>;
  /** The server's own request. */
  readonly raw: unknown;
}

/** An answer. With `stream` the body is written bit by bit, as long as the sink is open. */
export interface Reply {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  readonly stream?: (sink: Sink) => void;
}

export class TooLargeError extends Error {}

/** A fault of the caller's, with the status and the words of the answer. */
export class HttpError extends Error {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;

  constructor(status: number, message: string, headers: Readonly<Record<string, string>> = {}) {
    super(message);
    this.status = status;
    this.headers = headers;
  }
}

export const json = (value: unknown, status = 200): Reply => ({
  status,
  headers: { 'content-type': 'application/json; charset=utf-8' },
  body: JSON.stringify(value),
});

/** On every answer. Everything comes from the page's own origin, nothing is inline, nobody may frame it. */
export const securityHeaders: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "worker-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
  'cache-control': 'no-store',
};
