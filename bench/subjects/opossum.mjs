import CircuitBreaker from 'opossum';
import { failsAtTimes, own, returnsAtOnce } from '../measure/own.mjs';

const hour = 3_600_000;
// Snapshots off is in its favour: nobody listens, and each would sort all latencies of the last ten seconds.
const plain = {
  timeout: false,
  errorThresholdPercentage: 50,
  volumeThreshold: 20,
  rollingCountTimeout: 10_000,
  rollingCountBuckets: 10,
  resetTimeout: hour,
  enableSnapshots: false,
};
const guarded = { ...plain, timeout: 2_000, capacity: 50 };

const action = (fn) => own(['fn'], 'return () => fn()', fn);
const fire = (breaker) => own(['breaker'], 'return () => breaker.fire()', breaker);

function succeeding(options, fn = returnsAtOnce(), listen = (_breaker) => {}) {
  const breaker = new CircuitBreaker(action(fn), { ...options });
  listen(breaker);
  const check = () => {
    if (!breaker.closed) throw new Error('opossum: not closed');
  };
  return { call: fire(breaker), check };
}

function refused() {
  const breaker = new CircuitBreaker(action(returnsAtOnce()), { ...plain });
  breaker.open();
  const check = () => {
    if (!breaker.opened) throw new Error('opossum: not open');
  };
  return { call: fire(breaker), check };
}

const inFlight = ({ gate }) =>
  succeeding({ ...guarded, capacity: 1_000 }, own(['gate'], 'return async () => { await gate.passed; }', gate));

// As it comes, with its timers.
const idle = (options) => ({
  make: (i) => new CircuitBreaker(async () => 1, { name: `service-${i}`, ...options }),
  call: (breaker) => breaker.fire(),
});

/** It has one rule, a rate over time with latencies, so it is the same on both closed paths. It knows no signal of a caller. */
export const opossum = {
  closed: () => succeeding(plain),
  'closed-heard': () => succeeding(plain, returnsAtOnce(), (breaker) => breaker.on('open', () => {})),
  'closed-window': () => succeeding(plain),
  // With percentiles each failure would sort all latencies of the last ten seconds: they are off, in its favour.
  'closed-failing': () => succeeding({ ...plain, rollingPercentilesEnabled: false }, failsAtTimes()),
  guarded: () => succeeding(guarded),
  'guarded-signal': () => succeeding(guarded),
  refused,
  record() {
    const status = CircuitBreaker.newStatus(plain);
    return { call: own(['status'], "return () => status.increment('successes', 1)", status) };
  },
  concurrent: inFlight,
  heap: () => idle({}),
  'heap-window': () => idle({}),
  'heap-latency': () => idle({}),
  idle: () => idle({}),
};
