import { own, returnsAtOnce } from '../measure/own.mjs';

const call = (fn) => own(['fn'], 'return () => fn()', fn);
const plain = () => ({ call: call(returnsAtOnce()) });

export const bare = {
  closed: plain,
  'closed-window': plain,
  guarded: plain,
  'guarded-signal': plain,
  probe: plain,
  'one-signal': plain,
  refused: () => ({ call: call(own(['error'], 'return async () => { throw error; }', new Error('refused'))) }),
  cycle: () => ({
    call: {
      bad: call(own(['error'], 'return async () => { throw error; }', new Error('down'))),
      good: call(returnsAtOnce()),
    },
  }),
  concurrent: ({ gate }) => ({ call: call(own(['gate'], 'return async () => { await gate.passed; }', gate)) }),
  // A process that does the same and makes no breaker.
  idle: () => ({ make: () => undefined, call: async () => {} }),
};
