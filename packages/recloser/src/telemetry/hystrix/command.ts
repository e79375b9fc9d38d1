import type { CircuitState } from '../../breaker/events.ts';
import type { BreakerSettings } from '../../breaker/options.ts';
import type { Measurement } from '../../breaker/trip-rules/rule.ts';
import type { LatencySummary } from '../../windows/latency.ts';
import { type Totals, windowMs } from './rolling.ts';

/** All that a command says at a moment. */
export interface Figures {
  readonly name: string;
  readonly group: string;
  /** How many breakers are in which state. */
  readonly states: { readonly [S in CircuitState]?: number };
  readonly inFlight: number;
  readonly mostInFlight: number;
  /** Of the last ten seconds. */
  readonly rolling: Totals;
  readonly latency: LatencySummary | undefined;
  readonly settings: BreakerSettings | undefined;
  readonly window: Measurement | undefined;
  /** How long it sleeps when it opens. */
  readonly sleepMs: number;
}

/** No limit, as a number that Java can read. */
const unlimited = 2 ** 31 - 1;
const finite = (n: number): number => Math.min(unlimited, Math.round(n));

/**
 * The rule a Hystrix user would know: from how many calls on, and at which percentage. What has none opens at no percentage below all
 * of its calls: five consecutive failures are five calls, all of them failed.
 */
function ruleOf(window: Measurement | undefined): { volume: number; percentage: number } {
  if (window === undefined) return { volume: 0, percentage: 100 };
  const rate = [window, ...(window.parts ?? [])].find(({ rule }) => rule === 'failureRate' || rule === 'adaptive');
  const { minimumCalls, threshold, rule } = rate ?? window;
  return {
    volume: finite(minimumCalls ?? (rule === 'consecutiveFailures' ? threshold : 0)),
    percentage: rate ? Math.round(threshold * 100) : 100,
  };
}

/**
 * Where a percentile is not kept, the next higher one that is stands in its place: no latency looks better than it was. The same for
 * the mean, which the median stands for.
 */
function percentiles(latency: LatencySummary | undefined): Record<string, number> {
  const { p50 = 0, p95 = 0, p99 = 0, max = 0 } = latency ?? {};
  const [median, most, nearlyAll, all] = [Math.round(p50), Math.round(p95), Math.round(p99), Math.round(max)];
  return {
    ...{ '0': 0, '25': median, '50': median, '75': most, '90': most, '95': most },
    ...{ '99': nearlyAll, '99.5': all, '100': all },
  };
}

/**
 * A message as `SerialHystrixDashboardData.java` writes it and `hystrixCommand.js` reads it. opossum-hystrix 3 tells failures as bad
 * requests, a request volume of 5 whatever the options and the isolation of a thread pool; here
 *
 * - bad requests are calls that were ignored: the caller's fault, not the dependency's;
 * - refused calls are no errors and no requests: the percentage is the one the breaker judges by;
 * - calls that timed out are not also failures; those that found no place are not also short-circuited;
 * - a half-open circuit is open, as `isOpen()` of Hystrix says; isolation is by semaphore.
 */
export function messageOf(figures: Figures, currentTime: number): Readonly<Record<string, unknown>> {
  const { name, group, states, inFlight, mostInFlight, rolling, latency, settings, window, sleepMs } = figures;
  const { success, failed, timedOut, ignored, rejected, full, fellBack, fallbackFailed } = rolling;
  const requests = success + failed;
  const { volume, percentage } = ruleOf(window);
  const times = percentiles(latency);
  const all = Object.values(states).reduce((sum, n) => sum + n, 0);
  const are = (...which: CircuitState[]): number => which.reduce((sum, state) => sum + (states[state] ?? 0), 0);
  const thrown = Math.max(0, failed + rejected - (fellBack - fallbackFailed));
  const timeoutMs = settings?.timeoutMs ?? 0;
  return {
    type: 'HystrixCommand',
    name,
    group,
    currentTime,
    isCircuitBreakerOpen: are('open', 'half-open', 'forced-open') > 0,
    errorPercentage: requests === 0 ? 0 : Math.floor((failed / requests) * 100),
    errorCount: failed,
    requestCount: requests,
    rollingCountBadRequests: ignored,
    rollingCountCollapsedRequests: 0,
    rollingCountEmit: 0,
    rollingCountExceptionsThrown: thrown,
    rollingCountFailure: Math.max(0, failed - timedOut),
    rollingCountFallbackEmit: 0,
    rollingCountFallbackFailure: fallbackFailed,
    rollingCountFallbackMissing: Math.max(0, thrown - fallbackFailed),
    rollingCountFallbackRejection: 0,
    rollingCountFallbackSuccess: Math.max(0, fellBack - fallbackFailed),
    rollingCountResponsesFromCache: 0,
    rollingCountSemaphoreRejected: full,
    rollingCountShortCircuited: Math.max(0, rejected - full),
    rollingCountSuccess: success,
    rollingCountThreadPoolRejected: 0,
    rollingCountTimeout: timedOut,
    currentConcurrentExecutionCount: inFlight,
    rollingMaxConcurrentExecutionCount: mostInFlight,
    latencyExecute_mean: times['50'],
    latencyExecute: times,
    latencyTotal_mean: times['50'],
    latencyTotal: times,
    propertyValue_circuitBreakerRequestVolumeThreshold: volume,
    propertyValue_circuitBreakerSleepWindowInMilliseconds: finite(sleepMs),
    propertyValue_circuitBreakerErrorThresholdPercentage: percentage,
    propertyValue_circuitBreakerForceOpen: all > 0 && are('forced-open') === all,
    propertyValue_circuitBreakerForceClosed: all > 0 && are('forced-closed') === all,
    propertyValue_circuitBreakerEnabled: all === 0 || are('disabled', 'observe-only') < all,
    propertyValue_executionIsolationStrategy: 'SEMAPHORE',
    propertyValue_executionIsolationThreadTimeoutInMilliseconds: timeoutMs,
    propertyValue_executionTimeoutInMilliseconds: timeoutMs,
    propertyValue_executionIsolationThreadInterruptOnTimeout: timeoutMs > 0,
    propertyValue_executionIsolationThreadPoolKeyOverride: null,
    propertyValue_executionIsolationSemaphoreMaxConcurrentRequests: finite(settings?.maxConcurrent ?? unlimited),
    propertyValue_fallbackIsolationSemaphoreMaxConcurrentRequests: unlimited,
    propertyValue_metricsRollingStatisticalWindowInMilliseconds: windowMs,
    propertyValue_requestCacheEnabled: false,
    propertyValue_requestLogEnabled: false,
    reportingHosts: 1,
    threadPool: group,
  };
}
