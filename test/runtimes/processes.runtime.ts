import { spawn } from 'node:child_process';
import { beforeAll, describe, expect, inject, test } from 'vitest';
import { modules } from './modules.ts';
import { promises } from './promises.ts';
import { installed } from './runtimes.setup.ts';

const runtimes: Record<string, readonly string[]> = {
  [`Node ${process.version}`]: [process.execPath],
  'Node 22': [installed('node22/bin/node')],
  'Node 24': [installed('node24/bin/node')],
  'Node 26': [installed('node26/bin/node')],
  Bun: [installed('.bin/bun')],
  Deno: [installed('.bin/deno'), 'run', '--allow-all', '--no-check'],
};

interface Run {
  readonly code: number | null;
  readonly lines: readonly string[];
  readonly errors: string;
}

function runIn([command = '', ...args]: readonly string[]): Promise<Run> {
  const child = spawn(command, [...args, 'run.mjs'], { cwd: inject('app'), stdio: ['ignore', 'pipe', 'pipe'] });
  const limit = setTimeout(() => child.kill('SIGKILL'), 50_000);
  let [output, errors] = ['', ''];
  child.stdout.on('data', (text) => (output += text));
  child.stderr.on('data', (text) => (errors += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearTimeout(limit);
      resolve({ code, lines: output.trim().split('\n'), errors });
    });
  });
}

describe.each(Object.entries(runtimes))('%s', (_name, command) => {
  let run: Run;
  let results: Record<string, string>;
  beforeAll(async () => {
    run = await runIn(command);
    expect(run.lines.length, run.errors).toBe(2);
    results = JSON.parse(run.lines[0] as string);
  });

  for (const name of [...Object.keys(promises), ...Object.keys(modules)]) {
    test(name, () => expect(results[name]).toBe(''));
  }

  test('S4: a call that hangs keeps the process until its time is up, a thousand breakers at rest do not', () => {
    expect(run.lines[1]).toBe('TimeoutError');
    expect(run.code, run.errors).toBe(0);
  });
});
