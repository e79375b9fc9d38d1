import type { LatencySummary } from '../windows/latency.ts';
import type { CircuitState } from './events.ts';
import type { ComputedState } from './machine.ts';
import type { Measurement } from './trip-rules/rule.ts';

/** What has become of calls. */
export interface CallFigures {
  /** Successful + failed + ignored + rejected + in flight. Calls while disabled are not counted at all. */
  readonly totalRequests: number;
  readonly successfulRequests: number;
  readonly failedRequests: number;
  readonly rejectedRequests: number;
  readonly ignoredRequests: number;
  readonly slowRequests: number;
  /** Part of the failed, unless a classifier said otherwise. */
  readonly timedOutRequests: number;
  /** Calls whose fallback ran. */
  readonly fallbackRequests: number;
  /** While observe-only: calls that would have been refused. They passed and are counted by how they ended. */
  readonly shadowRejectedRequests: number;
  readonly inFlight: number;
  /** Places given back because the work outlived its call by `abandonAfterMs`. */
  readonly abandoned: number;
  /** Results that came in after their timeout or after the state they belonged to. */
  readonly lateResults: number;
  /** Epoch milliseconds, for display. */
  readonly lastFailureTime: number | undefined;
}

/** The figures of one breaker's life; only `latency` (the last one to two minutes) and `window` look back less far. */
export interface BreakerMetrics extends CallFigures {
  readonly name: string;
  readonly state: CircuitState;
  /** The state underneath, where a set one covers it. */
  readonly computedState: ComputedState;
  readonly generation: number;
  /** Time in the computed state `open`. */
  readonly circuitOpenTimeMs: number;
  /** What the trip rule has measured. */
  readonly window: Measurement;
  readonly latency?: LatencySummary;
}

/** The counters among them. */
export class Tally {
  successfulRequests = 0;
  failedRequests = 0;
  rejectedRequests = 0;
  ignoredRequests = 0;
  slowRequests = 0;
  timedOutRequests = 0;
  fallbackRequests = 0;
  shadowRejectedRequests = 0;
  abandoned = 0;
  lateResults = 0;
  lastFailureTime: number | undefined = undefined;
}
