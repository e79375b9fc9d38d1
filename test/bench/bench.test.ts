import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';

interface Run {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The bench over the sources through tsx: slower than what is built, and built first is nothing here. */
function bench(...args: string[]): Promise<Run> {
  const child = spawn(process.execPath, ['bench/main.mjs', '--quick', ...args], {
    cwd: root,
    env: { ...process.env, NODE_OPTIONS: '--import tsx' },
  });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => (stdout += chunk));
  child.stderr.on('data', (chunk) => (stderr += chunk));
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** A build that leaves one call in three out of its books: fast, and wrong. */
const forgetful = `
import { circuitBreaker as honest } from '${root}packages/recloser/src/index.ts';
export * from '${root}packages/recloser/src/index.ts';
export function circuitBreaker(options) {
  const breaker = honest(options);
  let calls = 0;
  return {
    execute: (fn) => (++calls % 3 === 0 ? fn() : breaker.execute(fn)),
    metrics: () => breaker.metrics(),
  };
}
`;

const number = expect.any(Number);

describe('npm run bench', () => {
  it('prints one JSON document with a row for each subject, judged where there is a bar', {
    timeout: 30_000,
  }, async () => {
    const { code, stdout } = await bench('--json', '--only', 'closed', '--build', 'packages/recloser/src/index.ts');
    const result = JSON.parse(stdout);
    expect(code).toBe(0);
    expect(result).toMatchObject({
      node: process.versions.node,
      machine: { cpu: expect.any(String), cores: number, memoryGb: number },
      date: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
      rivals: { opossum: expect.any(String), cockatiel: expect.any(String), mollitia: expect.any(String) },
      met: expect.any(Boolean),
    });
    expect(result.rows.map((row: { subject: string }) => row.subject)).toEqual([
      'bare',
      'recloser',
      'opossum',
      'cockatiel',
      'mollitia',
    ]);
    expect(result.rows[1]).toMatchObject({
      path: 'closed',
      subject: 'recloser',
      unit: 'ns',
      median: number,
      ratios: { bare: number, opossum: number, cockatiel: number, mollitia: number },
      bars: [{ against: 'cockatiel', most: 0.65, figure: number, met: expect.any(Boolean) }],
      aims: [{ against: 'bare', most: 1.4, figure: number, met: expect.any(Boolean) }],
    });
    expect(result.rows[0]).toMatchObject({ subject: 'bare', bars: [], aims: [] });
  });

  it('fails a build that leaves calls out of its metrics', { timeout: 30_000 }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'recloser-bench-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const build = join(folder, 'forgetful.mjs');
    writeFileSync(build, forgetful);
    const { code, stderr } = await bench('--only', 'closed', '--build', build);
    expect(stderr).toMatch(/successfulRequests/);
    expect(code).not.toBe(0);
  });

  it('names the paths there are when asked for another', { timeout: 30_000 }, async () => {
    const { code, stderr } = await bench('--only', 'open');
    expect(stderr).toMatch(/no path 'open'[\s\S]*closed-window/);
    expect(code).toBe(2);
  });
});
