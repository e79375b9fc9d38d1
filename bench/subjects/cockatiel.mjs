import { getEventListeners } from 'node:events';
import { failsAtTimes, own, returnsAtOnce } from '../measure/own.mjs';
import { inMap, inTurn } from './keys.mjs';

const node = Number.parseInt(process.versions.node, 10);
// The newest that this Node takes.
const { bulkhead, circuitBreaker, ConsecutiveBreaker, handleAll, SamplingBreaker, timeout, TimeoutStrategy, wrap } =
  await (node >= 22 ? import('cockatiel4') : import('cockatiel3'));

const hour = 3_600_000;
const consecutive = (failures = 5, halfOpenAfter = hour) =>
  circuitBreaker(handleAll, { halfOpenAfter, breaker: new ConsecutiveBreaker(failures) });
const sampling = () =>
  circuitBreaker(handleAll, {
    halfOpenAfter: hour,
    breaker: new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 2 }),
  });
// In the order in which a timeout counts as a failure and a full bulkhead does not, as it is here.
const guarded = (breaker, limit = 50) => wrap(bulkhead(limit), breaker, timeout(2_000, TimeoutStrategy.Aggressive));

const execute = (policy, fn) => own(['policy', 'fn'], 'return () => policy.execute(() => fn())', policy, fn);

function succeeding(breaker, call) {
  const check = () => {
    if (breaker.state !== 0) throw new Error('cockatiel: not closed');
  };
  return { call, check };
}

function guardedBy(makeCall) {
  const breaker = consecutive();
  return succeeding(breaker, makeCall(guarded(breaker), returnsAtOnce()));
}

async function refused() {
  const breaker = consecutive(1);
  await breaker.execute(() => Promise.reject(new Error('down'))).catch(() => {});
  const check = () => {
    if (breaker.state !== 1) throw new Error('cockatiel: not open');
  };
  return { call: execute(breaker, returnsAtOnce()), check };
}

function cycle() {
  const breaker = consecutive(1, 0);
  const failing = own(['error'], 'return async () => { throw error; }', new Error('down'));
  return succeeding(breaker, { bad: execute(breaker, failing), good: execute(breaker, returnsAtOnce()) });
}

function record() {
  const breaker = new SamplingBreaker({ threshold: 0.5, duration: 10_000, minimumRps: 2 });
  const now = Date.now();
  breaker.state = {
    windows: Array.from({ length: 10 }, (_, i) => ({
      startedAt: now - 1_000 * (9 - i),
      failures: 0,
      successes: 1_000,
    })),
    currentWindow: 9,
    currentFailures: 0,
    currentSuccesses: 10_000,
  };
  return { call: own(['breaker'], 'return () => breaker.success(0)', breaker) };
}

function concurrent({ gate }) {
  const breaker = consecutive();
  const fn = own(['gate'], 'return async () => { await gate.passed; }', gate);
  return succeeding(breaker, execute(guarded(breaker, 1_000), fn));
}

function oneSignal() {
  const { signal } = new AbortController();
  const breaker = consecutive();
  const call = own(
    ['policy', 'fn', 'signal'],
    'return () => policy.execute(() => fn(), signal)',
    guarded(breaker),
    returnsAtOnce(),
    signal,
  );
  return { call, check: () => ({ listenersLeft: getEventListeners(signal, 'abort').length }) };
}

const idle = (make) => ({ make, call: (policy) => policy.execute(async () => 1) });

export const cockatiel = {
  closed() {
    const breaker = consecutive();
    return succeeding(breaker, execute(breaker, returnsAtOnce()));
  },
  'closed-heard'() {
    const breaker = consecutive();
    breaker.onBreak(() => {});
    return succeeding(breaker, execute(breaker, returnsAtOnce()));
  },
  'closed-window'() {
    const breaker = sampling();
    return succeeding(breaker, execute(breaker, returnsAtOnce()));
  },
  'closed-failing'() {
    const breaker = sampling();
    return succeeding(breaker, execute(breaker, failsAtTimes()));
  },
  guarded: () => guardedBy(execute),
  'guarded-signal': () =>
    guardedBy((policy, fn) =>
      own(['policy', 'fn'], 'return () => policy.execute(({ signal }) => fn(signal))', policy, fn),
    ),
  refused,
  cycle,
  record,
  concurrent,
  'one-signal': oneSignal,
  keyed: () => ({
    call: inTurn(
      'target.get(key).execute(() => fn())',
      inMap(() => consecutive()),
      returnsAtOnce(),
    ),
  }),
  heap: () => idle(() => consecutive()),
  'heap-window': () => idle(sampling),
  idle: () => idle(() => guarded(sampling())),
};
