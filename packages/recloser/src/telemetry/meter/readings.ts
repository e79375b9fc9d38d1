import type { CircuitBreaker } from '../../breaker/breaker.ts';
import type { CircuitState } from '../../breaker/events.ts';
import type { BreakerMetrics } from '../../breaker/metrics.ts';
import { forcedStates } from '../../breaker/override.ts';
import type { Measurement } from '../../breaker/trip-rules/rule.ts';
import type { PlacesMetrics } from '../../core/bounded/layer.ts';
import type { RetryMetrics } from '../../policies/retry/retry.ts';
import type { Registry } from '../../registry/registry.ts';
import type { Teller } from '../channels.ts';
import type { InstrumentKey } from '../instruments.ts';
import { label } from './reasons.ts';

/** Takes up what was read; `sum` with the others of the same name, or the highest or the lowest of them. */
export type Take = (
  name: string,
  key: InstrumentKey,
  labels: readonly string[],
  value: number,
  how: 'sum' | 'most' | 'least',
) => void;

const states: readonly CircuitState[] = ['closed', 'open', 'half-open', ...forcedStates];

/** Reads the figures of a policy as they are now; reading changes nothing. */
export function readTeller(teller: Teller, take: Take, openedAt: WeakMap<object, number>): void {
  readers[teller.kind]?.(teller as never, teller.label, take, openedAt);
}

type Readable<M> = { readonly metrics: () => M };
type Breaker = Readable<BreakerMetrics> & Partial<Pick<CircuitBreaker, 'places'>>;

function readBreaker(breaker: Breaker, name: string, take: Take, openedAt: WeakMap<object, number>): void {
  const { state, window, shadowRejectedRequests } = breaker.metrics();
  take(name, 'shadowRejections', [], shadowRejectedRequests, 'sum');
  for (const each of states) take(name, 'state', [label(each)], each === state ? 1 : 0, 'sum');
  const at = openedAt.get(breaker);
  if (at !== undefined && (state === 'open' || state === 'half-open')) take(name, 'opened', [], at, 'least');
  for (const part of window.parts ?? [window]) readRatio(part, name, take);
  readWindow(window, name, take);
  const { places } = breaker;
  if (places !== undefined) takePlaces(places.taken, places.limit, name, take);
}

/** No ratio is told of too few calls: there is none. */
function readRatio(
  { rule, threshold, calls, failures = 0, slowCalls = 0, minimumCalls = 0 }: Measurement,
  name: string,
  take: Take,
): void {
  if (rule !== 'failureRate' && rule !== 'slowCallRate') return;
  const failing = rule === 'failureRate';
  take(name, failing ? 'failureThreshold' : 'slowThreshold', [], threshold, 'most');
  if (calls === 0 || calls < minimumCalls) return;
  take(name, failing ? 'failureRatio' : 'slowRatio', [], (failing ? failures : slowCalls) / calls, 'most');
}

function readWindow(window: Measurement, name: string, take: Take): void {
  const parts = window.parts ?? [window];
  const { calls, failures = 0 } = parts.find((part) => part.failures !== undefined) ?? window;
  // A rule of the user's may say neither.
  if (!Number.isFinite(calls - failures)) return;
  take(name, 'windowCalls', ['success'], calls - failures, 'sum');
  take(name, 'windowCalls', ['failure'], failures, 'sum');
}

function readRetry(retry: Readable<RetryMetrics>, name: string, take: Take): void {
  const { budgetUtilization } = retry.metrics();
  if (budgetUtilization !== undefined) take(name, 'retryBudget', [], budgetUtilization, 'most');
}

function readPlaces(policy: Readable<PlacesMetrics>, name: string, take: Take): void {
  const { inFlight, limit } = policy.metrics();
  takePlaces(inFlight, limit, name, take);
}

function takePlaces(taken: number, limit: number, name: string, take: Take): void {
  take(name, 'bulkheadUsage', [], taken, 'sum');
  take(name, 'bulkheadLimit', [], limit, 'sum');
}

/** All its breakers together: a name for each key would be too many. */
function readRegistry(registry: Registry, name: string, take: Take, openedAt: WeakMap<object, number>): void {
  const { size, states: counts, shadowRejectedRequests } = registry.metrics();
  take(name, 'shadowRejections', [], shadowRejectedRequests, 'sum');
  take(name, 'registrySize', [], size, 'sum');
  for (const each of states) take(name, 'state', [label(each)], counts[each] ?? 0, 'sum');
  const { parent } = registry;
  if (parent !== undefined) readBreaker(parent, `${name}/parent`, take, openedAt);
}

const readers: {
  readonly [kind: string]:
    | ((teller: never, name: string, take: Take, openedAt: WeakMap<object, number>) => void)
    | undefined;
} = {
  'circuit-breaker': readBreaker,
  retry: readRetry,
  bulkhead: readPlaces,
  'adaptive-concurrency': readPlaces,
  'circuit-breaker-registry': readRegistry,
};
