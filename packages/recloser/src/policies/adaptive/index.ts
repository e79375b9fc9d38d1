export {
  type AdaptiveConcurrency,
  type AdaptiveConcurrencyMetrics,
  adaptiveConcurrency,
} from './adaptive.ts';
export type { AdaptiveEvents, LimitChanged } from './events.ts';
export type { AdaptiveConcurrencyOptions } from './options.ts';
export type { LimitRule, Round } from './round.ts';
