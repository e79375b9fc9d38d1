import type { CircuitBreaker } from '../../breaker/breaker.ts';
import type { CircuitState } from '../../breaker/events.ts';
import type { BreakerMetrics } from '../../breaker/metrics.ts';
import { forcedStates } from '../../breaker/override.ts';
import type { Measurement } from '../../breaker/trip-rules/rule.ts';
import type { PlacesMetrics } from '../../core/bounded/layer.ts';
import { wallTime } from '../../core/time/clock.ts';
import type { RetryMetrics } from '../../policies/retry/retry.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Teller } from '../channels.ts';
import type { InstrumentKey } from '../instruments.ts';
import { label } from './reasons.ts';

/**
 * Takes up what was read; `sum` with the others of the same name, or the highest or the lowest of them. `growth`: a count that stays when
 * the policy is gone.
 */
export type Take = (
  key: InstrumentKey,
  labels: readonly string[],
  value: number,
  how: 'sum' | 'most' | 'least' | 'growth',
) => void;

const states: readonly CircuitState[] = ['closed', 'open', 'half-open', ...forcedStates];

/** Reads the figures of a policy as they are now; reading changes nothing. */
export function readTeller(teller: Teller, take: Take, openedAt: WeakMap<object, number>): void {
  readers[teller.kind]?.(teller as never, take, openedAt);
}

type Readable<M> = { readonly metrics: () => M };
type Opened = Pick<CircuitBreaker, 'state' | 'toJSON'>;
type Breaker = Readable<BreakerMetrics> & Opened & Partial<Pick<CircuitBreaker, 'places'>>;

function readBreaker(breaker: Breaker, take: Take, openedAt: WeakMap<object, number>): void {
  const { state, window, shadowRejectedRequests } = breaker.metrics();
  take('shadowRejections', [], shadowRejectedRequests, 'growth');
  for (const each of states) take('state', [label(each)], each === state ? 1 : 0, 'sum');
  readOpened([breaker], take, openedAt);
  for (const part of window.parts ?? [window]) readRatio(part, take);
  readWindow(window, take);
  const { places } = breaker;
  if (places !== undefined) takePlaces(places.taken, places.limit, take);
}

/** When the first of them opened that are not closed. Of one that nobody heard open it is worked out once: it must stay the same. */
function readOpened(breakers: readonly Opened[], take: Take, openedAt: WeakMap<object, number>): void {
  let first = Infinity;
  for (const breaker of breakers) {
    const { state } = breaker;
    if (state !== 'open' && state !== 'half-open') continue;
    let at = openedAt.get(breaker);
    if (at === undefined) {
      at = (wallTime() - (breaker.toJSON().downForMs ?? 0)) / 1_000;
      openedAt.set(breaker, at);
    }
    first = Math.min(first, at);
  }
  if (first < Infinity) take('opened', [], first, 'least');
}

/** No ratio is told of too few calls: there is none. */
function readRatio(
  { rule, threshold, calls, failures = 0, slowCalls = 0, minimumCalls = 0 }: Measurement,
  take: Take,
): void {
  if (rule !== 'failureRate' && rule !== 'slowCallRate') return;
  const failing = rule === 'failureRate';
  take(failing ? 'failureThreshold' : 'slowThreshold', [], threshold, 'most');
  if (calls === 0 || calls < minimumCalls) return;
  take(failing ? 'failureRatio' : 'slowRatio', [], (failing ? failures : slowCalls) / calls, 'most');
}

function readWindow(window: Measurement, take: Take): void {
  const parts = window.parts ?? [window];
  const { calls, failures = 0 } = parts.find((part) => part.failures !== undefined) ?? window;
  // A rule of the user's may say neither.
  if (!Number.isFinite(calls - failures)) return;
  take('windowCalls', ['success'], calls - failures, 'sum');
  take('windowCalls', ['failure'], failures, 'sum');
}

function readRetry(retry: Readable<RetryMetrics>, take: Take): void {
  const { budgetUtilization } = retry.metrics();
  if (budgetUtilization !== undefined) take('retryBudget', [], budgetUtilization, 'most');
}

function readPlaces(policy: Readable<PlacesMetrics>, take: Take): void {
  const { inFlight, limit } = policy.metrics();
  takePlaces(inFlight, limit, take);
}

function takePlaces(taken: number, limit: number, take: Take): void {
  take('bulkheadUsage', [], taken, 'sum');
  take('bulkheadLimit', [], limit, 'sum');
}

/** All its breakers together: a name for each key would be too many. */
function readRegistry(registry: Registry, take: Take, openedAt: WeakMap<object, number>): void {
  const { size, states: counts, shadowRejectedRequests } = registry.metrics();
  take('shadowRejections', [], shadowRejectedRequests, 'growth');
  take('registrySize', [], size, 'sum');
  for (const each of states) take('state', [label(each)], counts[each] ?? 0, 'sum');
  const breakers = Array.from(registry, ([, breaker]) => breaker);
  readOpened(breakers, take, openedAt);
}

const readers: {
  readonly [kind: string]: ((teller: never, take: Take, openedAt: WeakMap<object, number>) => void) | undefined;
} = {
  'circuit-breaker': readBreaker,
  retry: readRetry,
  bulkhead: readPlaces,
  'adaptive-concurrency': readPlaces,
  'circuit-breaker-registry': readRegistry,
};
