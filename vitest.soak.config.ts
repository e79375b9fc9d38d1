import { mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

// Hours of work in minutes: the models with many runs, and the tests that are too long for every change.
export default mergeConfig(base, {
  test: {
    include: ['test/model/**/*.test.ts', 'test/**/*.soak.ts'],
    testTimeout: 3_600_000,
    env: { RECLOSER_RUNS: process.env.RECLOSER_RUNS ?? '200000' },
  },
});
