import { deepStrictEqual, strictEqual } from 'node:assert';
import { getEventListeners } from 'node:events';
import { failsAtTimes, own, returnsAtOnce } from '../measure/own.mjs';
import { inTurn, keys } from './keys.mjs';

const build = new URL(import.meta.url).searchParams.get('build') ?? process.env.RECLOSER_BUILD ?? 'recloser';
const { circuitBreaker, failureRate, registry } = await import(build);

const hour = 3_600_000;
const window = () => failureRate({ threshold: 0.5, windowMs: 10_000, buckets: 10, minimumCalls: 20 });
const guards = { timeoutMs: 2_000, maxConcurrent: 50 };

const execute = (policy, fn) => own(['policy', 'fn'], 'return () => policy.execute(() => fn())', policy, fn);

/** Speed by not counting is a defect: all calls must be in the books, under the right heading. */
function counted(breaker, calls, heading, state) {
  const { totalRequests, successfulRequests, failedRequests, rejectedRequests, ignoredRequests, inFlight, ...rest } =
    breaker.metrics();
  const expected = { successfulRequests: 0, failedRequests: 0, rejectedRequests: 0, ...heading };
  deepStrictEqual({ successfulRequests, failedRequests, rejectedRequests }, expected);
  deepStrictEqual([totalRequests, ignoredRequests, inFlight, rest.state], [calls, 0, 0, state]);
  return rest;
}

function succeeding(options, call = execute) {
  const breaker = circuitBreaker({ name: 'bench', ...options });
  return {
    call: call(breaker, returnsAtOnce()),
    check(calls) {
      const { latency } = counted(breaker, calls, { successfulRequests: calls }, 'closed');
      // The histogram forgets after a minute at the earliest.
      if (options.trip !== undefined && performance.now() < 60_000) strictEqual(latency.count, calls);
    },
  };
}

function failing() {
  const breaker = circuitBreaker({ name: 'bench', trip: window() });
  const check = (calls) => {
    const failed = Math.floor(calls / 10);
    counted(breaker, calls, { successfulRequests: calls - failed, failedRequests: failed }, 'closed');
  };
  return { call: execute(breaker, failsAtTimes()), check };
}

async function opened(options) {
  const breaker = circuitBreaker({ name: 'bench', failureThreshold: 1, ...options });
  await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  return breaker;
}

async function refused() {
  const breaker = await opened({ sleepWindowMs: hour });
  const call = execute(breaker, returnsAtOnce());
  return {
    call,
    async check(calls) {
      counted(breaker, calls + 1, { failedRequests: 1, rejectedRequests: calls }, 'open');
      const refusals = new Set();
      for (let i = 0; i < 1_000; i++) await call().catch((error) => refusals.add(error));
      strictEqual(refusals.size, 1_000, 'every refusal is an error of its own');
    },
  };
}

async function probe() {
  const breaker = await opened({ sleepWindowMs: 0, successThreshold: 2 ** 31 - 1 });
  const check = (calls) => {
    counted(breaker, calls + 1, { failedRequests: 1, successfulRequests: calls }, 'half-open');
  };
  return { call: execute(breaker, returnsAtOnce()), check };
}

function cycle() {
  const breaker = circuitBreaker({ name: 'bench', failureThreshold: 1, sleepWindowMs: 0, successThreshold: 1 });
  const failing = own(['error'], 'return async () => { throw error; }', new Error('down'));
  return {
    call: { bad: execute(breaker, failing), good: execute(breaker, returnsAtOnce()) },
    check(calls) {
      const { generation } = counted(
        breaker,
        2 * calls,
        { failedRequests: calls, successfulRequests: calls },
        'closed',
      );
      strictEqual(generation, 3 * calls + 1, 'each round opens, half-opens and closes');
    },
  };
}

/** A counter of ten full buckets, the newest of them of this moment. */
function fullWindow() {
  const now = performance.now();
  const counter = window().start(now - 9_500);
  for (let i = 0; i < 9_500; i++) counter.record(false, 1, now - 9_500 + i);
  return counter;
}

function record(body) {
  const counter = fullWindow();
  const check = () => {
    if (counter.measure(performance.now()).calls === 0) throw new Error('the window is empty');
  };
  return { call: own(['counter', 'clock', 'now'], body, counter, performance, performance.now()), check };
}

function concurrent({ gate }) {
  const breaker = circuitBreaker({ name: 'bench', timeoutMs: 2_000, maxConcurrent: 1_000 });
  const fn = own(['gate'], 'return async () => { await gate.passed; }', gate);
  const call = execute(breaker, fn);
  return {
    call,
    async check(calls) {
      counted(breaker, calls, { successfulRequests: calls }, 'closed');
      gate.close();
      const all = Array.from({ length: 1_000 }, call);
      strictEqual(breaker.metrics().inFlight, 1_000);
      gate.open();
      await Promise.all(all);
      strictEqual(breaker.metrics().inFlight, 0);
    },
  };
}

function oneSignal() {
  const { signal } = new AbortController();
  const call = (policy, fn) =>
    own(['policy', 'fn', 'signal'], 'return () => policy.execute(() => fn(), { signal })', policy, fn, signal);
  const subject = succeeding(guards, call);
  return {
    ...subject,
    check(calls) {
      subject.check(calls);
      if (calls < 100_000) throw new Error(`only ${calls} calls`);
      const listenersLeft = getEventListeners(signal, 'abort').length;
      strictEqual(listenersLeft, 0, 'listeners left on the signal');
      return { listenersLeft };
    },
  };
}

/** All calls of a registry are in its books too, those of breakers that were evicted included. */
function keyed(seen, call, evicted) {
  const hosts = registry({ name: 'bench', maxEntries: keys.length });
  for (let i = 0; i < seen - keys.length; i++) hosts.get(`seen-${i}.example`);
  for (const key of keys) hosts.get(key);
  return {
    call: call(hosts, returnsAtOnce()),
    check(calls) {
      const metrics = hosts.metrics();
      const { totalRequests, successfulRequests, size, states } = metrics;
      const expected = { totalRequests: calls, successfulRequests: calls, size: keys.length, states: { closed: size } };
      deepStrictEqual({ totalRequests, successfulRequests, size, states }, expected);
      strictEqual(metrics.evicted, evicted(calls));
    },
  };
}

const keyedInTurn = (seen) =>
  keyed(
    seen,
    (hosts, fn) => inTurn('target.execute(() => fn(), { key })', hosts, fn),
    () => seen - keys.length,
  );

const keyedNew = () =>
  keyed(
    keys.length,
    (hosts, fn) =>
      own(
        ['hosts', 'fn'],
        'let i = 0; return () => hosts.execute(() => fn(), { key: "new-" + i++ + ".example" })',
        hosts,
        fn,
      ),
    (calls) => calls,
  );

const readsSignal = (policy, fn) =>
  own(['policy', 'fn'], 'return () => policy.execute(({ signal }) => fn(signal))', policy, fn);

const idle = (options) => ({
  make: (i) => circuitBreaker({ name: `service-${i}`, ...options() }),
  call: (breaker) => breaker.execute(async () => 1),
});

export const recloser = {
  closed: () => succeeding({ failureThreshold: 5 }),
  'closed-heard': () => succeeding({ failureThreshold: 5, onOpened() {} }),
  'closed-window': () => succeeding({ trip: window() }),
  'closed-failing': failing,
  guarded: () => succeeding(guards),
  'guarded-signal': () => succeeding(guards, readsSignal),
  refused,
  probe,
  cycle,
  record: () => record('return () => counter.record(false, 1, clock.now())'),
  concurrent,
  'one-signal': oneSignal,
  keyed: () => keyedInTurn(1_000_000),
  'keyed-new': keyedNew,
  heap: () => idle(() => ({ failureThreshold: 5 })),
  'heap-window': () => idle(() => ({ trip: window(), latency: false })),
  'heap-latency': () => ({
    ...idle(() => ({ trip: window() })),
    // Latencies of a common dependency: most around 20 ms, some ten times that.
    busy(breaker) {
      for (let i = 0; i < 100; i++) breaker.acquire().success(i % 10 === 0 ? 80 + i : 12 + i / 5);
    },
  }),
  idle: () => idle(() => ({ trip: window(), timeoutMs: 2_000, maxConcurrent: 50 })),
  page: () => ({
    make: idle(() => ({ trip: window() })).make,
    async open(breakers) {
      const { dashboard } = await import('@recloser/dashboard');
      const mounted = dashboard({ breakers, title: 'busy' });
      const { url } = await mounted.listen({ port: 0 });
      return { url, close: () => mounted.close() };
    },
  }),
};

/** The same without the clock, which is most of the price. */
export const recloserGivenTime = { record: () => record('return () => counter.record(false, 1, now += 0.001)') };

/** Beside a build that knows nobody subscribes to its channels. */
for (const path of ['closed', 'guarded']) recloser[`channels-${path}`] = recloser[path];

/** Flat in the number of keys that were seen? */
export const recloserFewSeen = { keyed: () => keyedInTurn(keys.length) };
