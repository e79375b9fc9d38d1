export { type Bulkhead, bulkhead } from './bulkhead.ts';
export type { BulkheadOptions } from './options.ts';
