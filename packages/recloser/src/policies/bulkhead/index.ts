export { type Bulkhead, type BulkheadMetrics, bulkhead } from './bulkhead.ts';
export type { Abandoned, BulkheadEvents, BulkheadRejection, Queued } from './events.ts';
export type { BulkheadOptions, Priority } from './options.ts';
