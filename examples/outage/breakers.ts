import { anyOf, type Clock, circuitBreaker, failureRate, slowCallRate } from 'recloser';

/**
 * The one configuration for every dependency of every recording. Nobody tunes it to a file; the README says why these
 * numbers. Durations are in the recording's time.
 */
export const defaults = {
  failures: { threshold: 0.5, windowMs: 20_000, minimumCalls: 5, confidence: 0.95 },
  slowCalls: { threshold: 0.8, slowCallMs: 500, windowMs: 10_000, minimumCalls: 10 },
  timeoutMs: 5_000,
  sleepWindowMs: 10_000,
  successThreshold: 2,
} as const;

export type Breaker = ReturnType<typeof circuitBreaker>;

/** The breaker in front of one dependency. */
export function breakerFor(name: string, clock: Clock): Breaker {
  const { failures, slowCalls, ...durations } = defaults;
  return circuitBreaker({ name, clock, trip: anyOf(failureRate(failures), slowCallRate(slowCalls)), ...durations });
}
