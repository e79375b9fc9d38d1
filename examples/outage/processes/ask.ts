import { Agent, request } from 'node:http';
import { durationHeader, sentHeader } from './messages.ts';

export interface Answer {
  readonly status: number;
  /** How long the recording says it took; NaN if the server did not say. */
  readonly recordedMs: number;
}

/** Asks for a path; rejects if no answer comes. */
export type Ask = (path: string, headers: Record<string, string | number>, signal?: AbortSignal) => Promise<Answer>;

/** The machine's limit, and no answer of the upstream. */
const noSocket = new Set<string | undefined>(['EMFILE', 'ENFILE', 'EADDRNOTAVAIL']);

/** An HTTP caller with connections of its own, as many as calls are in flight: an open loop never waits for a free one. */
export function httpCaller(port: number, onNoSocket: () => void): Ask {
  const agent = new Agent({ keepAlive: true, maxSockets: Number.POSITIVE_INFINITY, maxFreeSockets: 1_024 });
  return (path, headers, signal) =>
    new Promise((resolve, reject) => {
      const sent = { [sentHeader]: `${process.hrtime.bigint()}` };
      const call = request({ host: '127.0.0.1', port, path, agent, headers: { ...headers, ...sent } });
      // The `signal` option of `request` does the same at three times the price of the breaker.
      signal?.addEventListener('abort', () => call.destroy(signal.reason as Error), { once: true });
      call.on('response', (response) => {
        const recordedMs = Number(response.headers[durationHeader]);
        response.on('end', () => resolve({ status: response.statusCode ?? 0, recordedMs }));
        response.on('error', reject);
        response.resume();
      });
      call.on('error', (error: NodeJS.ErrnoException) => {
        if (noSocket.has(error.code)) onNoSocket();
        reject(error);
      });
      call.end();
    });
}
