/**
 * A process with many busy breakers and their page, for the other files here. Arguments: breakers, calls a second in all, what there
 * is (`breakers`; `keys` for those of one registry; `bare` for breakers without a page, but the process's own loop delay once a
 * second), and the port.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { dashboard } from '@recloser/dashboard';
import { circuitBreaker, failureRate, registry } from 'recloser';

const [count = 500, rate = 50_000] = process.argv.slice(2, 4).map(Number);
const kind = process.argv[4] ?? 'breakers';
const trip = failureRate({ threshold: 0.5, windowMs: 10_000 });
// Two calls a second are few for a key: it decides by few.
const few = { trip: failureRate({ threshold: 0.5, windowMs: 10_000, minimumCalls: 5 }) };
const hosts = registry({ name: 'hosts', defaults: few, parent: { threshold: 0.9 }, maxEntries: count });
const breakers = Array.from({ length: count }, (_, i) =>
  kind === 'keys' ? hosts.get(`host-${i}`) : circuitBreaker({ name: `b${i}`, trip }),
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

if (kind === 'bare') {
  const resolution = 20;
  const loop = monitorEventLoopDelay({ resolution });
  loop.enable();
  setInterval(() => {
    process.stdout.write(`${Math.max(0, loop.percentile(99) / 1e6 - resolution)}\n`);
    loop.reset();
  }, 1_000);
} else {
  const page = dashboard({ breakers: kind === 'keys' ? hosts : breakers, title: 'busy', instance: 'busy' });
  const { url } = await page.listen({ port: Number(process.argv[5] ?? 0) });
  process.stdout.write(`${url}\n`);
}
process.on('disconnect', () => process.exit());
