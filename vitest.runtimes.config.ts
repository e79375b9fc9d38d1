// The built package in every runtime it is promised for: `npm run test:runtimes`. Apart from the other tests, which need nothing but Node.
import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default defineConfig({
  ...base,
  test: {
    include: ['test/runtimes/*.runtime.ts'],
    globalSetup: ['test/runtimes/runtimes.setup.ts'],
    fileParallelism: false,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
