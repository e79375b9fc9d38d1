// Every static check, two at a time; ends with a table of what ran and fails if anything did.
import { spawn } from 'node:child_process';
import { performance } from 'node:perf_hooks';

// attw, publint and size-limit read dist, so the build comes first.
const first = { build: 'npm run --silent build' };
const rest = {
  'lint and format': 'biome check --error-on-warnings',
  types: 'tsc -p tsconfig.json',
  'types, published': 'tsc -p packages/recloser',
  'types, without Node': 'tsc -p packages/recloser/tsconfig.portable.json',
  'types, dashboard': 'tsc -p packages/dashboard',
  'types, its page': 'tsc -p packages/dashboard/src/page',
  'types, in documents': 'tsx scripts/check-snippets.ts',
  arrows: 'depcruise .',
  'file lengths and names': 'tsx scripts/check-files.ts',
  'unused code': 'knip',
  'package (publint)': 'publint packages/recloser --strict && publint packages/dashboard --strict',
  'package (attw)':
    'attw --pack packages/recloser --format ascii && attw --pack packages/dashboard --profile node16 --format ascii',
  'package (both formats load)': 'node scripts/check-formats.mjs',
  size: 'size-limit',
  'size of the page': 'tsx packages/dashboard/scripts/check-size.ts',
  'api reference': 'typedoc --emit none',
};

interface Result {
  readonly name: string;
  readonly code: number | null;
  readonly seconds: number;
  readonly output: string;
}

function run(name: string, command: string): Promise<Result> {
  const started = performance.now();
  const child = spawn(command, { shell: true, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk) => (output += chunk));
  return new Promise((resolve) => {
    child.on('close', (code) => resolve({ name, code, output, seconds: (performance.now() - started) / 1000 }));
  });
}

function report(result: Result): Result {
  if (result.code !== 0) console.log(`\n── ${result.name}\n${result.output.trim()}`);
  return result;
}

const results: Result[] = [];
async function drain(queue: [string, string][]): Promise<void> {
  for (let next = queue.shift(); next; next = queue.shift()) results.push(report(await run(...next)));
}

await drain(Object.entries(first));
const queue = Object.entries(rest);
await Promise.all([drain(queue), drain(queue)]);

console.log();
for (const { name, code, seconds } of results) {
  console.log(`${code === 0 ? 'ok    ' : 'FAILED'}  ${seconds.toFixed(1).padStart(5)} s  ${name}`);
}
process.exitCode = results.every(({ code }) => code === 0) ? 0 : 1;
