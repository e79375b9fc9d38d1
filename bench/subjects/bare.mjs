import { failsAtTimes, own, returnsAtOnce } from '../measure/own.mjs';
import { inMap, inTurn } from './keys.mjs';

const call = (fn) => own(['fn'], 'return () => fn()', fn);
const plain = () => ({ call: call(returnsAtOnce()) });

export const bare = {
  closed: plain,
  'closed-heard': plain,
  'closed-window': plain,
  'closed-failing': () => ({ call: call(failsAtTimes()) }),
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
  keyed() {
    const fn = returnsAtOnce();
    return {
      call: inTurn(
        'target.get(key)()',
        inMap(() => fn),
      ),
    };
  },
  'keyed-new': plain,
  concurrent: ({ gate }) => ({ call: call(own(['gate'], 'return async () => { await gate.passed; }', gate)) }),
  // A process that does the same and makes no breaker.
  idle: () => ({ make: () => undefined, call: async () => {} }),
};
