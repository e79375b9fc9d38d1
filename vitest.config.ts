import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

const source = fileURLToPath(new URL('packages/recloser/src', import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^recloser$/, replacement: `${source}/index.ts` },
      { find: /^recloser\/(.+)$/, replacement: `${source}/$1/index.ts` },
    ],
  },
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts'],
    // Memory tests collect garbage before they measure.
    execArgv: ['--expose-gc'],
  },
});
