/** A process with many busy breakers and their page, for `frames.browser.ts`: arguments are breakers, calls a second in all, and `bare` for no page but the process's own loop delay once a second. */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { dashboard } from '@recloser/dashboard';
import { circuitBreaker, failureRate } from 'recloser';

const [count = 500, rate = 50_000] = process.argv.slice(2, 4).map(Number);
const breakers = Array.from({ length: count }, (_, i) =>
  circuitBreaker({ name: `b${i}`, trip: failureRate({ threshold: 0.5, windowMs: 10_000 }) }),
);
const down = new Error('down');
const good = async (): Promise<number> => 1;
const bad = async (): Promise<never> => {
  throw down;
};

const tickMs = 5;
let next = 0;
let owed = 0;
let last = performance.now();
setInterval(() => {
  const now = performance.now();
  // No more than one beat is made up for: what the machine can't do must not pile up.
  owed = Math.min(owed + ((now - last) / 1_000) * rate, (2 * tickMs * rate) / 1_000);
  last = now;
  for (; owed >= 1; owed--) {
    const at = next++ % count;
    breakers[at]?.execute(at % 50 === 0 && next % 3 > 0 ? bad : good).catch(() => {});
  }
}, tickMs);

if (process.argv[4] === 'bare') {
  const resolution = 20;
  const loop = monitorEventLoopDelay({ resolution });
  loop.enable();
  setInterval(() => {
    process.stdout.write(`${Math.max(0, loop.percentile(99) / 1e6 - resolution)}\n`);
    loop.reset();
  }, 1_000);
} else {
  const page = dashboard({ breakers, title: 'busy', instance: 'busy' });
  const { url } = await page.listen({ port: 0 });
  process.stdout.write(`${url}\n`);
}
process.on('disconnect', () => process.exit());
