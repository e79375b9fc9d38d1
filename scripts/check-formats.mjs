// What a user loads: the built package through `import` and through `require`, each with the same names.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
for (const entry of ['recloser', 'recloser/testing']) {
  const [esm, cjs] = [Object.keys(await import(entry)), Object.keys(require(entry))].map((names) =>
    names.sort().join(),
  );
  if (!esm || esm !== cjs) throw new Error(`${entry} exports\n  import:  ${esm}\n  require: ${cjs}`);
  console.log(`${entry}: ${esm}`);
}
