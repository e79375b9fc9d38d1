import { defineConfig } from 'vitest/config';
import base from './vitest.config.ts';

// The models alone, with a hundred times the lives that every change plays.
export default defineConfig({
  ...base,
  test: {
    ...base.test,
    include: ['test/model/**/*.test.ts'],
    testTimeout: 3_600_000,
    env: { RECLOSER_RUNS: process.env.RECLOSER_RUNS ?? '200000' },
  },
});
