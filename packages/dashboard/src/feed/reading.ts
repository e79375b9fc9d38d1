import type { BreakerMetrics, CircuitBreaker, Registry, RegistryMetrics } from 'recloser';
import type { Row } from '../protocol/row.ts';

/** Totals of one moment, for the rates of the next second. */
export interface Totals {
  readonly at: number;
  readonly ok: number;
  readonly failed: number;
  readonly refused: number;
}

export const totalsOf = (metrics: BreakerMetrics | RegistryMetrics, at: number): Totals => ({
  at,
  ok: metrics.successfulRequests,
  failed: metrics.failedRequests,
  refused: refusedOf(metrics),
});

/** Of a registry what its keys refused, and what the breaker over them did. */
export const refusedOf = (metrics: BreakerMetrics | RegistryMetrics): number =>
  metrics.rejectedRequests + ('parent' in metrics ? (metrics.parent?.rejectedRequests ?? 0) : 0);

export type Rates = Pick<Row, 'ok' | 'failed' | 'refused'>;

export const noRates: Rates = { ok: 0, failed: 0, refused: 0 };

export function ratesOf(before: Totals, now: Totals): Rates {
  const seconds = (now.at - before.at) / 1_000;
  if (!(seconds > 0)) return noRates;
  const rate = (key: 'ok' | 'failed' | 'refused'): number =>
    Math.round((Math.max(0, now[key] - before[key]) / seconds) * 10) / 10;
  return { ok: rate('ok'), failed: rate('failed'), refused: rate('refused') };
}

/** Three digits: more would change with every call and tell nobody anything. */
const rounded = (n: number): number => (Number.isFinite(n) ? Number(n.toPrecision(3)) : 0);

/** Epoch ms, as far as is known. */
export interface Since {
  readonly since: number | undefined;
  readonly downSince: number | undefined;
  readonly cause: string | undefined;
  readonly failedProbes: number;
}

/** Of one that takes no calls any more, which no state tells. (One of another version may not tell either.) */
export function endOf({ ending }: CircuitBreaker | Registry): Pick<Row, 'ending' | 'cause'> | undefined {
  if (ending !== 'draining' && ending !== 'disposed') return undefined;
  return { ending, cause: `${ending}: every new call is refused` };
}

/** A breaker as it is now. The sentence and what comes with it cost more than the figures, and a closed one needs none. */
export function rowOf(
  id: string,
  breaker: CircuitBreaker,
  metrics: BreakerMetrics,
  rates: Rates,
  { since, downSince, cause, failedProbes }: Since,
): Row {
  const { state, computedState, inFlight, window, latency } = metrics;
  // A breaker of another version may not tell its settings.
  const { timeoutMs = 0, recovery } = breaker.settings ?? {};
  const row: Row = {
    id,
    state,
    ...rates,
    inFlight,
    rule: window.rule,
    value: rounded(window.value),
    threshold: window.threshold,
    calls: window.calls,
    ...(computedState === state ? {} : { under: computedState }),
    ...(since === undefined ? {} : { since }),
    ...(downSince === undefined ? {} : { downSince }),
    ...(cause === undefined ? {} : { cause }),
    ...(failedProbes === 0 ? {} : { failedProbes }),
    ...(window.minimumCalls === undefined ? {} : { minimumCalls: window.minimumCalls }),
    ...(window.confidence === undefined ? {} : { confidence: window.confidence }),
    ...(timeoutMs > 0 ? { timeoutMs } : {}),
    ...(latency === undefined ? {} : { p50: rounded(latency.p50), p95: rounded(latency.p95) }),
  };
  const end = endOf(breaker);
  if (end !== undefined) return { ...row, ...end, explain: breaker.explain() };
  if (state === 'closed') {
    const ramping = recovery === undefined ? '' : breaker.explain();
    return ramping.startsWith('closed and recovering') ? { ...row, explain: ramping } : row;
  }
  const { sleepMs = 0, openForMs, woken, halfOpenForMs, successes = 0, failures = 0, forced } = breaker.toJSON();
  const sample = breaker.settings?.sample;
  const needed = sample?.calls ?? breaker.settings?.successThreshold ?? 1;
  return {
    ...row,
    explain: breaker.explain(),
    ...(openForMs === undefined ? {} : { nextProbeMs: woken ? 0 : Math.round(Math.max(0, sleepMs - openForMs)) }),
    ...(halfOpenForMs === undefined
      ? {}
      : { probes: [sample ? successes + failures : failures > 0 ? 0 : successes, needed] as const }),
    ...(forced === undefined
      ? {}
      : {
          forced: {
            reason: forced.reason?.slice(0, 300),
            by: forced.by?.slice(0, 60),
            expiresInMs: forced.expiresInMs,
          },
        }),
  };
}
