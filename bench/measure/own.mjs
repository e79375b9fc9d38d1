let made = 0;

/**
 * A function compiled for one subject alone. V8 keeps what it learns at the source position of a function: subjects that
 * share one would make each other's calls polymorphic. The number keeps it from finding the text in its cache.
 */
export function own(names, body, ...values) {
  return new Function(...names, `/* ${++made} */ ${body}`)(...values);
}

/** What is protected: an async function that returns at once. */
export const returnsAtOnce = () => own([], 'return async () => 1');

/** The same, but one call in ten fails. */
export const failsAtTimes = () =>
  own(['error'], 'let i = 0; return async () => { if (++i % 10 === 0) throw error; return 1; }', new Error('down'));

/** The loop around a call: nothing but the loop. */
export const loops = {
  settled: () => own([], 'return async (f, n) => { for (let i = 0; i < n; i++) await f(); }'),
  caught: () => own([], 'return async (f, n) => { for (let i = 0; i < n; i++) { try { await f(); } catch {} } }'),
  recorded: () => own([], 'return (f, n) => { for (let i = 0; i < n; i++) f(); }'),
  cycled: () =>
    own(
      [],
      'return async (f, n) => { for (let i = 0; i < n; i++) { try { await f.bad(); } catch {} await f.good(); } }',
    ),
  /** 1,000 at a time: all are started, the event loop turns once, then all are let go. */
  concurrent: (gate) =>
    own(
      ['gate', 'turn'],
      `return async (f, n) => {
        for (let done = 0; done < n; done += 1000) {
          const all = [];
          gate.close();
          for (let i = 0; i < 1000; i++) all.push(f());
          await turn();
          gate.open();
          await Promise.all(all);
        }
      }`,
      gate,
      turn,
    ),
};

/** One turn of the event loop: what was put off until then is done. */
export const turn = () => new Promise((resolve) => setImmediate(resolve));

/** Holds calls until it opens. */
export function makeGate() {
  const gate = {
    passed: Promise.resolve(),
    open: () => {},
    close() {
      gate.passed = new Promise((resolve) => {
        gate.open = resolve;
      });
    },
  };
  return gate;
}
