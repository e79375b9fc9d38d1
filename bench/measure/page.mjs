import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';

const breakerCount = 500;
const callsPerSecond = 50_000;

/** Calls to all of them at a steady rate, however busy the machine is: what is owed is made. One in twenty fails; a fiftieth of the breakers is down. */
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
}

/** Percent of a core that this process takes for 500 breakers at 50,000 calls a second, with a page that is open or without any. */
export async function measurePage({ make, open }, ms) {
  const breakers = Array.from({ length: breakerCount }, (_, i) => make(i));
  const load = busy(breakers);
  const url = await open(breakers);
  if (url !== undefined) await reader(url);
  await sleep(ms);
  const [began, before, made] = [performance.now(), process.cpuUsage(), load.made];
  await sleep(ms);
  const { user, system } = process.cpuUsage(before);
  const elapsedMs = performance.now() - began;
  return {
    value: (user + system) / 10 / elapsedMs,
    detail: { callsPerSecond: Math.round((load.made - made) / (elapsedMs / 1_000)) },
  };
}
