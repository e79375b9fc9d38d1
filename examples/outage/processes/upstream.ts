/** The upstream of the demo, a process of its own: an HTTP server that answers as the recording did at that moment. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { noAnswer } from '../recording/recording.ts';
import { sampler } from '../recording/sample.ts';
import { answerHeartbeats } from './heartbeat.ts';
import { liveWithParent } from './live-with-parent.ts';
import { callHeader, durationHeader, momentHeader, type Serve, type Serving, sentHeader } from './messages.ts';
import { longestBeatMs } from './recording-clock.ts';

/** The way back of an answer, which the caller's clock sees and this one doesn't. */
const returnMs = 0.3;
const longestTimerMs = 2 ** 31 - 1;

liveWithParent();
process.once('message', ({ recording, seed, speed }: Serve) => {
  const sample = sampler(recording, seed);
  const indexOf = new Map(recording.dependencies.map((name, index) => [`/${encodeURIComponent(name)}`, index]));

  const server = createServer({ keepAliveTimeout: 0, requestTimeout: 0, headersTimeout: 0 }, (request, response) => {
    const dependency = indexOf.get(request.url ?? '');
    if (dependency === undefined) return void response.writeHead(404).end();
    const { [callHeader]: call, [momentHeader]: moment } = request.headers;
    const row = sample(dependency, Number(moment), Number(call));
    const durationMs = recording.durationMs[row] as number;
    const waitMs = durationMs / speed - Math.min(sinceSentMs(request), longestBeatMs(speed)) - returnMs;
    // (In a stall longer than a beat the recording stood still.)
    const answer = () => answerWith(recording.status[row] as number, durationMs, response);
    if (waitMs < 0.8) return answer();
    // A timer of Node's is half a millisecond late on average: without the fraction, early and late even out.
    const timer = setTimeout(answer, Math.min(Math.floor(waitMs), longestTimerMs));
    response.once('close', () => clearTimeout(timer));
  });
  answerHeartbeats(server);
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4_096 }, () => {
    const serving: Serving = { port: (server.address() as AddressInfo).port };
    process.send?.(serving);
  });
});

/** `hrtime` is one clock for all processes of a machine: what the way here took must not add to what was recorded. */
function sinceSentMs(request: IncomingMessage): number {
  const sent = request.headers[sentHeader];
  if (typeof sent !== 'string') return 0;
  return Math.max(0, Number(process.hrtime.bigint() - BigInt(sent)) / 1e6);
}

function answerWith(status: number, durationMs: number, response: ServerResponse): void {
  if (status === noAnswer) return void response.destroy();
  response.writeHead(status, { [durationHeader]: durationMs, 'content-length': 0 }).end();
}
