export * from './breaker/index.ts';
export type { Abandoned, Dequeued, PlaceRejection, PlacesEvents, Queued } from './core/bounded/events.ts';
export type { PlacesMetrics } from './core/bounded/layer.ts';
export type { PlacesOptions, Priority } from './core/bounded/options.ts';
export {
  type BudgetExhausted,
  type RetryBudget,
  RetryBudgetExhaustedError,
  type RetryBudgetOptions,
  retryBudget,
} from './core/budget.ts';
export type { Idempotent } from './core/call/attempt.ts';
export type { CallEnd } from './core/call/call.ts';
export type { CallContext, CallOptions } from './core/call/context.ts';
export type { KeyOf } from './core/call/flights.ts';
export {
  BulkheadFullError,
  CircuitOpenError,
  RejectedError,
  type RejectionDetails,
  type RejectionReason,
  TimeoutError,
} from './core/errors.ts';
export type { ListenerErrorHandler } from './core/events/emitter.ts';
export {
  type Fallback,
  type FallbackAnswer,
  type FallbackFunction,
  type FallbackLike,
  type FallbackLink,
  type LastGood,
  type LinkAnswer,
  lastGood,
} from './core/fallback.ts';
export type { Classification, Classifier, Outcome, Verdict } from './core/outcome.ts';
export type { AnswerOf, ArgumentsOf, KeyOfArguments, Policy, PolicyLike, RejectionOf, Wrapped } from './core/policy.ts';
export type { ListenerOptions, PolicyOptions } from './core/policy-options.ts';
export {
  type Backoff,
  constant,
  type Draw,
  decorrelatedJitter,
  exponential,
  linear,
  type ReadyBackoff,
} from './core/time/backoff.ts';
export type { Clock } from './core/time/clock.ts';
export * from './pipeline/index.ts';
export * from './policies/adaptive/index.ts';
export * from './policies/bulkhead/index.ts';
export * from './policies/cache/index.ts';
export * from './policies/chaos/index.ts';
export * from './policies/coalesce/index.ts';
export * from './policies/fallback/index.ts';
export * from './policies/hedge/index.ts';
export * from './policies/rate-limit/index.ts';
export * from './policies/retry/index.ts';
export * from './policies/throttle/index.ts';
export * from './policies/timeout/index.ts';
export * from './registry/index.ts';
export type { LatencySummary } from './windows/latency.ts';
