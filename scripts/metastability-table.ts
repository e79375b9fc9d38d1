// Prints the table of docs/policies/retry.md: what a ten-second outage does to clients that retry.
import { shareOfAllCalls, simulate, world } from '../test/metastability/simulation.ts';

const end = world.outageToMs / 1_000;
const columns = [1, 2, 3, 4, 5, 7, 10];
const rows = [
  ['no retries', { attempts: 1 }],
  ['3 retries, the default budget', { attempts: 4 }],
  ['3 retries, a budget of a fifth of all calls', { attempts: 4, budget: shareOfAllCalls() }],
  ['3 retries, `budget: false`', { attempts: 4, budget: false }],
] as const;

console.log(`| clients | attempts a call in the outage | ${columns.map((second) => `${second} s`).join(' | ')} |`);
console.log(`|---|---|${columns.map(() => '---|').join('')}`);
for (const [name, options] of rows) {
  const seconds = await simulate(options);
  const outage = seconds.slice(end - 5, end);
  const calls = outage.reduce((sum, second) => sum + second.calls, 0);
  const attempts = outage.reduce((sum, second) => sum + second.attempts, 0);
  const shares = columns.map((second) => {
    const { calls = 1, succeeded = 0 } = seconds[end + second - 1] ?? {};
    return `${Math.round((100 * succeeded) / calls)} %`;
  });
  console.log(`| ${name} | ${(attempts / calls).toFixed(2)} | ${shares.join(' | ')} |`);
}
