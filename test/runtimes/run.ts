// The promises in a runtime with a command line: results as one line of JSON. Then the process is to end by itself, and not before
// the last call has.
import { circuitBreaker } from 'recloser';
import { modules } from './modules.ts';
import { promises, run } from './promises.ts';

const results = await run({ ...promises, ...modules });
console.log(JSON.stringify(results));
for (let i = 0; i < 1_000; i++) circuitBreaker({ timeoutMs: 3_600_000, sleepWindowMs: 3_600_000 }).execute(() => i);
const hung = circuitBreaker({ timeoutMs: 100 });
hung.execute(() => new Promise(() => {})).catch(({ name }) => console.log(name));
