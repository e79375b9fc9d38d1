export { type CircuitBreaker, circuitBreaker } from './breaker.ts';
export type { Permit } from './calls/permit.ts';
export type {
  Action,
  BreakerEvents,
  BreakerFallbackFailed,
  BreakerFellBack,
  CircuitState,
  EventName,
  Late,
  Rejection,
  Settled,
  SettledWithError,
  Transition,
  Updated,
} from './events.ts';
export type { Evidence, Facts } from './evidence.ts';
export type { ComputedState } from './machine.ts';
export type { BreakerMetrics, CallFigures } from './metrics.ts';
export type { BreakerChanges, BreakerSettings, CircuitBreakerOptions, HalfOpenOptions } from './options.ts';
export type { ForcedState, ForceOptions, ReleaseOptions } from './override.ts';
export type { Snapshot } from './snapshot.ts';
export { type AdaptiveOptions, adaptive } from './trip-rules/adaptive.ts';
export { allOf, anyOf } from './trip-rules/combined.ts';
export { consecutiveFailures } from './trip-rules/consecutive-failures.ts';
export type { Measurement, TripCounter, TripRule } from './trip-rules/rule.ts';
export {
  type CountOptions,
  failureCount,
  failureRate,
  type RateOptions,
  type SlowCallOptions,
  slowCallRate,
} from './trip-rules/windowed.ts';
