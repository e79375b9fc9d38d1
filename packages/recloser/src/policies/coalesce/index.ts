export { type Coalesce, type CoalesceMetrics, coalesce } from './coalesce.ts';
export type { CalledOff, CoalesceEvents, Joined } from './events.ts';
export type { CoalesceOptions } from './options.ts';
