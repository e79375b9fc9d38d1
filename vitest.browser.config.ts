// The real page in a real browser, the alerts in a real Prometheus: `npm run test:browser`. Apart from the other tests, which need nothing but Node.
import { defineConfig, mergeConfig } from 'vitest/config';
import base from './vitest.config.ts';

export default mergeConfig(
  { ...base, test: { ...base.test, include: [] } },
  defineConfig({
    test: {
      include: ['test/browser/**/*.browser.ts', 'test/operations/**/*.slow.ts'],
      fileParallelism: false,
      testTimeout: 60_000,
      hookTimeout: 60_000,
    },
  }),
);
