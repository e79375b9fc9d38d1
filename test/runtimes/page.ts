import { run } from './promises.ts';

(globalThis as { results?: unknown }).results = await run();
