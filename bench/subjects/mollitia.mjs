import { Bulkhead, Circuit, SlidingCountBreaker, SlidingTimeBreaker, Timeout } from 'mollitia';
import { own, returnsAtOnce } from '../measure/own.mjs';

const hour = 3_600_000;
const common = { openStateDelay: hour, failureRateThreshold: 50, minimumNumberOfCalls: 5 };
// It has no rule of failures in a row; five of the last five is the nearest.
const byCount = (state) =>
  new SlidingCountBreaker({ ...common, slidingWindowSize: 5, failureRateThreshold: 99, state });
// It remembers the last 1,000 calls at most and copies them at each call.
const byTime = () => new SlidingTimeBreaker({ ...common, slidingWindowSize: 10_000, minimumNumberOfCalls: 20 });
const guards = (limit = 50) => [
  new Bulkhead({ concurrentSize: limit, queueSize: 0 }),
  byCount(),
  new Timeout({ delay: 2_000 }),
];

const action = (fn) => own(['fn'], 'return () => fn()', fn);
const execute = (circuit) => own(['circuit'], 'return () => circuit.execute()', circuit);
const circuit = (modules, fn = returnsAtOnce()) => new Circuit({ func: action(fn), options: { modules } });
const calls = (modules, fn) => ({ call: execute(circuit(modules, fn)) });

const idle = (modules) => ({
  make: (i) => new Circuit({ name: `service-${i}`, func: async () => 1, options: { modules: modules() } }),
  call: (made) => made.execute(),
});

/** It knows no signals, and its half-open state needs a timer. */
export const mollitia = {
  closed: () => calls([byCount()]),
  'closed-window': () => calls([byTime()]),
  guarded: () => calls(guards()),
  refused: () => calls([byCount('opened')]),
  concurrent: ({ gate }) => calls(guards(1_000), own(['gate'], 'return async () => { await gate.passed; }', gate)),
  heap: () => idle(() => [byCount()]),
  'heap-window': () => idle(() => [byTime()]),
  idle: () => idle(guards),
};
