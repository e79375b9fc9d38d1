// What the library promises wherever it runs, on real timers, promises and signals. Nothing of Node in here: the same file runs in Node,
// Bun, Deno, a worker and a browser. Bounds are wide, for the machine may be busy.
import * as recloser from 'recloser';
import { health, subscribe } from 'recloser/telemetry';
import { hystrix } from 'recloser/telemetry/hystrix';
import { prometheus } from 'recloser/telemetry/prometheus';
import { manualClock } from 'recloser/testing';

const { circuitBreaker, CircuitOpenError, failureRate, pipeline, RejectedError, TimeoutError } = recloser;

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
const hang = (): Promise<never> => new Promise(() => {});
const down = (): Promise<never> => Promise.reject(new Error('down'));
const rejection = async (call: Promise<unknown>): Promise<recloser.RejectedError> => {
  try {
    await call;
  } catch (error) {
    return error as recloser.RejectedError;
  }
  throw new Error('it was to reject');
};
const shown = (value: unknown): string => JSON.stringify(value) ?? String(value);

export function equal(actual: unknown, expected: unknown, what = 'it'): void {
  if (shown(actual) !== shown(expected)) throw new Error(`${what}: ${shown(actual)} instead of ${shown(expected)}`);
}

export const promises: Record<string, () => Promise<void>> = {
  async 'a circuit opens, refuses, probes and closes'() {
    const told: string[] = [];
    const breaker = circuitBreaker({ failureThreshold: 2, successThreshold: 1, sleepWindowMs: 60 });
    for (const event of ['opened', 'half-opened', 'closed'] as const) breaker.on(event, ({ to }) => told.push(to));
    for (let i = 0; i < 2; i++) equal((await rejection(breaker.execute(down))).message, 'down');
    let called = false;
    const refusal = await rejection(breaker.execute(() => (called = true)));
    equal(refusal instanceof CircuitOpenError && refusal instanceof RejectedError, true, 'the refusal’s class');
    equal([called, refusal.status, refusal.headers['retry-after']], [false, 503, '1']);
    await sleep(100);
    equal(await breaker.execute(async () => 'back'), 'back');
    equal([breaker.state, told], ['closed', ['open', 'half-open', 'closed']]);
  },

  async 'a timeout ends a call that hangs, and aborts a signal that the platform takes for its own'() {
    const breaker = circuitBreaker({ timeoutMs: 50 });
    let signal: AbortSignal | undefined;
    const started = performance.now();
    const hung = breaker.execute((context) => {
      signal = AbortSignal.any([context.signal]);
      return hang();
    });
    const error = await rejection(hung);
    equal(error instanceof TimeoutError, true, 'a TimeoutError');
    equal([signal?.aborted, signal?.reason === error], [true, true], 'the signal');
    const tookMs = performance.now() - started;
    if (tookMs < 49 || tookMs > 5_000) throw new Error(`50 ms took ${tookMs}`);
  },

  async 'calls that hang side by side each time out, also those that begin while others end'() {
    const breaker = circuitBreaker({ timeoutMs: 60, failureThreshold: 1_000 });
    const calls: Promise<unknown>[] = [];
    for (let i = 0; i < 5; i++) {
      calls.push(
        rejection(breaker.execute(hang)),
        breaker.execute(async () => i),
      );
      await sleep(25);
    }
    const ends = await Promise.all(calls);
    equal(ends.filter((end) => end instanceof TimeoutError).length, 5);
    const { timedOutRequests, successfulRequests, inFlight } = breaker.metrics();
    equal([timedOutRequests, successfulRequests, inFlight], [5, 5, 0]);
  },

  async 'the caller’s abort is no failure, the caller’s deadline is one'() {
    const breaker = circuitBreaker({ failureThreshold: 1 });
    const controller = new AbortController();
    const given = breaker.execute(hang, { signal: controller.signal });
    const reason = new Error('changed my mind');
    controller.abort(reason);
    equal((await rejection(given)) === reason, true, 'the reason');
    equal(breaker.state, 'closed');
    const [deadline] = await Promise.all([
      rejection(breaker.execute(hang, { signal: AbortSignal.timeout(30) })),
      sleep(60), // the platform's own deadlines do not hold a process
    ]);
    equal(deadline.name, 'TimeoutError');
    equal(breaker.state, 'open');
  },

  async 'a thousand calls at once go through ten places in the order they came'() {
    const places = recloser.bulkhead({ maxConcurrent: 10, maxQueue: 1_000 });
    const order: number[] = [];
    let most = 0;
    let busy = 0;
    const work = (i: number) => async (): Promise<void> => {
      order.push(i);
      most = Math.max(most, ++busy);
      await Promise.resolve();
      busy--;
    };
    await Promise.all(Array.from({ length: 1_000 }, (_, i) => places.execute(work(i))));
    equal([most, order.length, order.every((value, i) => value === i)], [10, 1_000, true]);
  },

  async 'policies stand one inside the other'() {
    const policies = [
      recloser.fallback('instead'),
      recloser.retry({ attempts: 3, backoff: recloser.constant(5) }),
      circuitBreaker({ failureThreshold: 10 }),
      recloser.timeout(1_000),
      recloser.bulkhead({ maxConcurrent: 2 }),
    ];
    const stack = pipeline({ onWarning: false }, ...policies);
    let calls = 0;
    equal(await stack.execute(async () => (++calls < 3 ? down() : calls)), 3);
    equal(await stack.execute(down), 'instead');
  },

  async 'cache, coalesce, hedge, rate limit and the last good answer'() {
    let made = 0;
    const make = async (): Promise<number> => ++made;
    const kept = recloser.cache({ ttlMs: 60_000 });
    equal([await kept.execute(make, { key: 'a' }), await kept.execute(make, { key: 'a' })], [1, 1], 'cache');
    const one = recloser.coalesce();
    const slowly = async (): Promise<number> => {
      await sleep(10);
      return ++made;
    };
    equal(await Promise.all([1, 2, 3].map(() => one.execute(slowly, { key: 'a' }))), [2, 2, 2], 'coalesce');
    let tries = 0;
    const twice = recloser.hedge({ delayMs: 20 });
    equal(await twice.execute(() => (++tries === 1 ? hang() : Promise.resolve('second'))), 'second', 'hedge');
    const limit = recloser.rateLimit({ permits: 1, windowMs: 60_000 });
    equal(await limit.execute(async () => 1), 1);
    equal((await rejection(limit.execute(make))).code, 'ERR_RATE_LIMITED', 'rate limit');
    const good = circuitBreaker({ fallback: recloser.lastGood({ shared: true }) });
    await good.execute(async () => 'good');
    equal(await good.execute(down), 'good', 'last good');
  },

  async 'its state goes on in another breaker, through JSON'() {
    const options = { trip: failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 4 }) };
    const breaker = circuitBreaker(options);
    for (let i = 0; i < 4; i++) await breaker.execute(i % 2 ? down : async () => i).catch(() => {});
    const restore = JSON.parse(JSON.stringify(breaker));
    const heir = circuitBreaker({ ...options, restore });
    equal([breaker.state, heir.state, heir.explain().startsWith('open')], ['open', 'open', true]);
  },

  async 'tests advance the clock by hand'() {
    const clock = manualClock();
    const breaker = circuitBreaker({ clock, timeoutMs: 1_000, failureThreshold: 1, sleepWindowMs: 30_000 });
    const hung = rejection(breaker.execute(hang));
    await clock.advance(1_000);
    equal((await hung).name, 'TimeoutError');
    await clock.advance(29_999);
    equal(breaker.available, false);
    await clock.advance(1);
    equal(breaker.available, true);
  },

  async 'whoever subscribes hears of it, and figures say what happened'() {
    const heard: string[] = [];
    const off = subscribe('recloser:circuit-breaker:opened', ({ payload }) => heard.push(payload.breaker));
    const metrics = prometheus();
    const breaker = circuitBreaker({ name: 'heard', failureThreshold: 1 });
    await rejection(breaker.execute(down));
    off();
    equal(heard, ['heard']);
    const text = await (await metrics.fetch(new Request('http://localhost/metrics'))).text();
    const line = text.split('\n').find((each) => /^recloser_circuit_breaker_state\{.*heard.*"open".* 1$/.test(each));
    equal(line !== undefined, true, `a line of the open state in\n${text.slice(0, 500)}`);
    metrics.close();
  },

  async 'handlers of the Fetch standard answer'() {
    const breaker = circuitBreaker({ name: 'vital', failureThreshold: 1 });
    const ready = health({ policies: [breaker], critical: ['vital'] });
    const status = async (): Promise<number> => (await ready.fetch(new Request('http://localhost/readyz'))).status;
    equal(await status(), 200);
    await rejection(breaker.execute(down));
    equal(await status(), 503);
    const stream = hystrix({ policies: [breaker], intervalMs: 100 });
    const { body } = await stream.fetch(new Request('http://localhost/hystrix.stream'));
    const reader = (body as ReadableStream<Uint8Array>).getReader();
    let text = '';
    while (!text.includes('"isCircuitBreakerOpen":true')) text += new TextDecoder().decode((await reader.read()).value);
    await reader.cancel();
    stream.close();
  },
};

/** Runs them all; what went wrong by name, `''` where nothing did. */
export async function run(chosen = promises): Promise<Record<string, string>> {
  const results: Record<string, string> = {};
  for (const [name, promise] of Object.entries(chosen)) {
    try {
      await promise();
      results[name] = '';
    } catch (error) {
      results[name] = error instanceof Error ? `${error.stack}` : String(error);
    }
  }
  return results;
}
