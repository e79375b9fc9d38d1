import { defineConfig } from 'tsdown';

const doors = [
  'index',
  'testing/index',
  'telemetry/index',
  'telemetry/prometheus/index',
  'telemetry/otel/index',
  'telemetry/log/index',
  'telemetry/hystrix/index',
];
const both = Object.fromEntries(doors.map((door) => [door, `src/${door}.ts`]));

export default defineConfig({
  entry: both,
  format: {
    esm: { entry: { ...both, 'compat/opossum/index': 'src/compat/opossum/index.ts' } },
    // With nothing but a default, `require` gives the class itself, and its declaration says `export =`.
    cjs: { entry: { ...both, 'compat/opossum/index': 'src/compat/opossum/require.ts' } },
  },
  platform: 'neutral',
  deps: { neverBundle: [/^node:/] },
  target: 'es2022',
  dts: true,
});
