import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { median } from './rounds.mjs';

const breakerCount = 500;
const callsPerSecond = 50_000;

/**
 * Calls to all of them at a steady rate, however busy the machine is: what is owed is made. One in twenty fails; a fiftieth of the
 * breakers is down.
 */
function busy(breakers) {
  const good = async () => 1;
  const bad = async () => {
    throw new Error('down');
  };
  const load = { made: 0 };
  const began = performance.now();
  setInterval(() => {
    const due = ((performance.now() - began) / 1_000) * callsPerSecond;
    for (; load.made < due; load.made++) {
      const at = load.made % breakers.length;
      const fails = at % 50 === 0 || (at + Math.floor(load.made / breakers.length)) % 20 === 0;
      breakers[at].execute(fails ? bad : good).catch(() => {});
    }
  }, 5);
  return load;
}

/** A reader of the page's stream, in a process of its own: its time is not counted. */
async function reader(url) {
  const read = `require('node:http').get('${url}api/stream', (r) => r.resume().once('data', () => console.log()))`;
  const child = spawn(process.execPath, ['-e', read], { stdio: ['ignore', 'pipe', 'inherit'] });
  process.once('exit', () => child.kill());
  await once(child.stdout, 'data');
  return child;
}

/** What this process takes of a core for so long, all its threads, in per cent. */
async function taken(ms) {
  const [began, before] = [performance.now(), process.cpuUsage()];
  await sleep(ms);
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 10 / (performance.now() - began);
}

/**
 * Percent of a core that this process takes more for 500 breakers at 50,000 calls a second while a page is open than without: the median
 * of so many pairs, after a while in which the code that runs once a second gets compiled.
 */
export async function measurePage({ make, open }, ms, pairs) {
  const breakers = Array.from({ length: breakerCount }, (_, i) => make(i));
  const load = busy(breakers);
  const more = [];
  const without = [];
  const began = performance.now();
  for (let pair = 0; pair <= pairs; pair++) {
    const { url, close } = await open(breakers);
    const child = await reader(url);
    await sleep(pair === 0 ? 4 * ms : ms / 3);
    const withPage = await taken(ms);
    child.kill();
    await close();
    await sleep(ms / 6);
    if (pair === 0) continue;
    without.push(await taken(ms));
    more.push(withPage - without.at(-1));
  }
  const rate = load.made / ((performance.now() - began) / 1_000);
  return {
    value: Math.max(0, median(more)),
    detail: { callsPerSecond: Math.round(rate), 'without a page': Number(median(without).toPrecision(3)) },
  };
}
