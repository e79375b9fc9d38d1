// A worker of Cloudflare's runtime. Timers, contexts and unfinished work go with the request they belong to there, and a breaker serves
// many requests.
import { bulkhead, circuitBreaker, coalesce } from 'recloser';
import { run } from './promises.ts';

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const never = (): Promise<void> => sleep(60_000);
/** It is answered before its work is done: the rest is lost with it. */
const left = async (work: Promise<unknown>): Promise<string> => {
  work.catch(() => {});
  return 'left';
};
const options = { failureThreshold: 1, sleepWindowMs: 0, successThreshold: 1 };
const shared = circuitBreaker({ timeoutMs: 150, failureThreshold: 1_000 });
const probed = circuitBreaker({ ...options, halfOpen: { probeTimeoutMs: 200 } });
const places = bulkhead({ maxConcurrent: 1, maxQueue: 10, queueTimeoutMs: 1_000 });
const guarded = circuitBreaker({ failureThreshold: 1_000, maxConcurrent: 1, timeoutMs: 200, abandonAfterMs: 50 });
const flights = coalesce({ joinForMs: 200 });

interface Context {
  waitUntil(work: Promise<unknown>): void;
}

const routes: Record<string, (context: Context) => Promise<unknown>> = {
  promises: () => run(),
  hang: () => shared.execute(() => new Promise(() => {})),
  metrics: async () => shared.metrics(),
  fail: () => probed.execute(() => Promise.reject(new Error('down'))),
  'probe-and-leave': () => left(probed.execute(never)),
  probe: () => probed.execute(async () => 'back'),
  queue: () => places.execute(() => sleep(50).then(() => 'served')),
  free: () => places.execute(async () => places.metrics()),
  'fly-and-leave': () => left(flights.execute(never, { key: 'a' })),
  hold: () => guarded.execute(async () => 'held'),
  'hold-and-leave': (context) => {
    const call = guarded.execute(never);
    context.waitUntil(call.catch(() => sleep(100)));
    return left(call);
  },
  fly: () => flights.execute(async () => 'landed', { key: 'a' }),
};

export default {
  fetch(request: Request, _environment: unknown, context: Context): Promise<Response> {
    const route = routes[new URL(request.url).pathname.slice(1)] as (typeof routes)[string];
    return route(context).then(
      (answer) => Response.json({ answer }),
      ({ name }) => Response.json({ error: name }),
    );
  },
};
