import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type Action, actions, config } from './actions.ts';
import { Driver, type Setup } from './driver.ts';

const runs = Number(process.env.RECLOSER_RUNS ?? 2_000);
const seed = Number(process.env.RECLOSER_SEED ?? Date.now() % 2 ** 31);
const path = process.env.RECLOSER_PATH;

const setup: fc.Arbitrary<Setup> = fc.record(
  {
    config,
    startMs: fc.constantFrom(0, 1_000, -15),
    listens: fc.constantFrom(true, true, false),
    reads: fc.constantFrom('always', 'always', 'at-the-end'),
  },
  { noNullPrototype: true },
);

/** What no run may leave out if the agreement of all is to mean something. */
const wanted = [
  ...['opened', 'half-opened', 'closed', 'succeeded', 'failed', 'ignored', 'timed-out', 'updated', 'report'],
  ...['open', 'half-open', 'recovery', 'bulkhead-full', 'forced-open', 'disposed'].map(
    (reason) => `rejected ${reason}`,
  ),
  ...['late generation', 'late timed-out', 'released released', 'released expired', 'released reset', 'released woken'],
  ...['forced forced-open', 'forced forced-closed', 'forced disabled', 'forced observe-only'],
];
const kindOf = (text: string): string => {
  const [event = '', second, third] = text.split(' ');
  if (event === 'rejected') return `rejected ${third}`;
  return ['late', 'released', 'forced'].includes(event) ? `${event} ${second}` : event;
};

const line = (action: Action): string => JSON.stringify(action).replaceAll('"', '');

it(`S1–S23: the breaker agrees with a naive one that keeps its whole history, over ${runs} random lives`, {
  timeout: 3_600_000,
}, async () => {
  const met = new Map<string, number>();
  const startedAt = performance.now();
  let lives = 0;
  const life = fc.asyncProperty(setup, actions, async (given, list) => {
    const driver = new Driver(given);
    await driver.play(list);
    for (const kind of new Set(driver.log.map(kindOf))) met.set(kind, (met.get(kind) ?? 0) + 1);
    if (++lives % 5_000 === 0) {
      const seconds = (performance.now() - startedAt) / 1_000;
      process.stderr.write(`model: ${lives} of ${runs} lives, ${Math.round(lives / seconds)} a second, seed ${seed}\n`);
    }
  });
  const result = await fc.check(life, { numRuns: runs, seed, ...(path === undefined ? {} : { path }) });
  if (result.counterexample !== null) {
    const [given, list] = result.counterexample;
    const again = `RECLOSER_SEED=${result.seed} RECLOSER_PATH=${result.counterexamplePath}`;
    const said = result.errorInstance instanceof Error ? result.errorInstance.stack : String(result.errorInstance);
    throw new Error(
      [
        `after ${result.numRuns} lives (${again})`,
        JSON.stringify(given),
        ...list.map(line),
        '(then what hangs ends well)',
        said,
      ].join('\n  '),
    );
  }
  if (path === undefined && runs >= 2_000) expect([...met.keys()]).toEqual(expect.arrayContaining(wanted));
});
