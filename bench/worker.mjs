// One process, one path: `node --expose-gc worker.mjs '{"path":"closed","rounds":100,…}'`. Prints what it measured as JSON.
import { measureHeap } from './measure/heap.mjs';
import { measureIdle } from './measure/idle.mjs';
import { loops, makeGate } from './measure/own.mjs';
import { measurePage } from './measure/page.mjs';
import { measureRounds } from './measure/rounds.mjs';
import { subjects } from './subjects/index.mjs';

const { path, subject, ...how } = JSON.parse(process.argv[2]);

/** How calls are made on the paths where they do not all succeed one after the other. */
const loopOf = {
  refused: 'caught',
  'closed-failing': 'caught',
  record: 'recorded',
  cycle: 'cycled',
  concurrent: 'concurrent',
};

async function measure() {
  if (path.startsWith('heap')) return { [subject]: await measureHeap(subjects[subject][path]({}), how.breakers) };
  if (path === 'page') return { [subject]: await measurePage(subjects[subject][path](), how.idleMs, how.pairs) };
  if (path === 'idle') return { idle: await measureIdle(subjects[subject][path]({}), how.breakers, how.idleMs) };
  const kind = loopOf[path] ?? 'settled';
  const made = {};
  for (const name in subjects) {
    if (!(path in subjects[name])) continue;
    const gate = makeGate();
    made[name] = { ...(await subjects[name][path]({ gate })), loop: loops[kind](gate) };
  }
  return measureRounds(made, how, {
    step: path === 'concurrent' ? 1_000 : 1,
    least: path === 'one-signal' ? 100_000 : 0,
  });
}

const results = await measure();
process.stdout.write(JSON.stringify(path === 'idle' ? { [subject]: results.idle } : results), () => process.exit(0));
