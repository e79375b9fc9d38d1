export type { Hedged, HedgeEvents, Won } from './events.ts';
export { type Hedge, type HedgeMetrics, hedge } from './hedge.ts';
export type { HedgeOptions } from './options.ts';
