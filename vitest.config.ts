import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { configDefaults, defineConfig } from 'vitest/config';

const source = fileURLToPath(new URL('packages/recloser/src', import.meta.url));
const dashboard = fileURLToPath(new URL('packages/dashboard/src/index.ts', import.meta.url));
// Stryker runs in threads, which can't be given the flag, and mutants say nothing about memory.
const mutating = 'STRYKER_MUTATOR_WORKER' in process.env;

export default defineConfig({
  resolve: {
    alias: [
      { find: /^recloser$/, replacement: `${source}/index.ts` },
      { find: /^recloser\/opossum$/, replacement: `${source}/compat/opossum/index.ts` },
      { find: /^recloser\/(.+)$/, replacement: `${source}/$1/index.ts` },
      { find: /^@recloser\/dashboard$/, replacement: dashboard },
    ],
  },
  test: {
    // Time is virtual nearly everywhere: this only bounds what hangs, on a machine that has much else to do.
    testTimeout: 30_000,
    // Much of the run waits for servers and processes: on two cores, Vitest's own choice of one worker takes half as long again.
    maxWorkers: Math.max(2, availableParallelism() - 1),
    include: ['packages/*/src/**/*.test.ts', 'examples/**/*.test.ts', 'test/**/*.test.ts'],
    exclude: [
      ...configDefaults.exclude,
      // Nor do those that only start processes, on code that is not mutated there.
      ...(mutating
        ? [
            'packages/dashboard/**',
            'examples/**',
            'test/{memory,dashboard,bench,demo,operations}/**',
            'test/metastability/**',
          ]
        : []),
    ],
    // A mutant that a hundred random lives don't tell from the original is told apart by a test of a rule, or survives.
    env: mutating ? { RECLOSER_RUNS: process.env.RECLOSER_RUNS ?? '100' } : {},
    globalSetup: mutating ? [] : ['test/dashboard/page.setup.ts'],
    execArgv: mutating ? [] : ['--expose-gc'],
  },
});
