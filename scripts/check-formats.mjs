// What a user loads: the built package through `import` and through `require`, each with the same names.
// `require('recloser/opossum')` is the class itself, as `require('opossum')` is.
import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);
for (const entry of [
  'recloser',
  'recloser/testing',
  'recloser/telemetry',
  'recloser/telemetry/prometheus',
  'recloser/telemetry/otel',
  'recloser/telemetry/log',
  'recloser/telemetry/hystrix',
  'recloser/opossum',
  '@recloser/dashboard',
]) {
  const [esm, cjs] = [Object.keys(await import(entry)), Object.keys(require(entry))].map((names) =>
    names.sort().join(),
  );
  if (!esm || esm !== cjs) throw new Error(`${entry} exports\n  import:  ${esm}\n  require: ${cjs}`);
  console.log(`${entry}: ${esm}`);
}

const CircuitBreaker = require('recloser/opossum');
const breaker = new CircuitBreaker(async (word) => word);
if ((await breaker.fire('called')) !== 'called') throw new Error("require('recloser/opossum') is not the class");
