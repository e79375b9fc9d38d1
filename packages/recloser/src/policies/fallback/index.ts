export type { FallbackEvents, FallbackFailed, FellBack } from './events.ts';
export {
  type FallbackAnswer,
  type FallbackLike,
  type FallbackLink,
  type FallbackMetrics,
  type FallbackPolicy,
  fallback,
  type LinkAnswer,
} from './fallback.ts';
export type { Answerable, FallbackOptions } from './options.ts';
