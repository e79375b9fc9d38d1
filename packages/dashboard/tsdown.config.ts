import { defineConfig } from 'tsdown';

export default defineConfig({
  entry: ['src/index.ts'],
  format: ['esm', 'cjs'],
  platform: 'node',
  fixedExtension: false,
  target: 'es2022',
  // The assets of the page are found beside the module, whichever format it is loaded in.
  shims: true,
  dts: true,
});
