export type { FallbackEvents, FallbackFailed, FellBack } from './events.ts';
export {
  type FallbackMetrics,
  type FallbackPolicy,
  fallback,
} from './fallback.ts';
export type { Answerable, FallbackOptions } from './options.ts';
