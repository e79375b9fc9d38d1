import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { buildSync } from 'esbuild';
import type { TestProject } from 'vitest/node';

declare module 'vitest' {
  export interface ProvidedContext {
    /** The folder of an application that has installed the packages. */
    readonly app: string;
  }
}

const folder = resolve('.cache/runtimes');
const platform = `${process.platform === 'win32' ? 'win' : process.platform}-${process.arch}`;
const node = (major: number): string => `node${major}@npm:node-${platform}@${major}`;
const runtimes = ['bun@1.4.5', 'deno@2.9.6', 'workerd@1.20261117.1', node(22), node(24), node(26)];

const npm = (...args: readonly string[]): string =>
  execFileSync('npm', [...args, '--loglevel=error'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
const install = (prefix: string, packages: readonly string[]): string =>
  npm('install', '--no-audit', '--no-fund', '--prefix', prefix, ...packages);

/** Where npm has put a runtime that is no dependency of ours: each weighs a hundred megabytes. */
export const installed = (path: string): string => join(folder, 'node_modules', path);

/**
 * Fetches the runtimes that are not there, and installs what would be published into a folder outside of this one: Bun and esbuild heed its
 * tsconfig, which leads to the sources.
 */
export default function setUp(project: TestProject): () => void {
  const missing = runtimes.filter((name) => !existsSync(installed(name.split('@')[0] as string)));
  if (missing.length > 0) {
    console.warn(`fetching ${missing.join(', ')}`);
    install(folder, runtimes);
  }
  const app = mkdtempSync(join(tmpdir(), 'recloser-app-'));
  const packed: readonly { readonly filename: string }[] = JSON.parse(
    npm('pack', '--json', '--pack-destination', app, '--workspace=packages/recloser', '--workspace=packages/dashboard'),
  );
  install(
    app,
    packed.map(({ filename }) => join(app, filename)),
  );
  buildSync({
    entryPoints: ['run.ts', 'worker.ts', 'page.ts'].map((name) => `test/runtimes/${name}`),
    outdir: app,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    format: 'esm',
    packages: 'external',
    tsconfigRaw: {},
  });
  copyFileSync('test/runtimes/required.cjs', join(app, 'required.cjs'));
  project.provide('app', app);
  return () => rmSync(app, { recursive: true });
}
