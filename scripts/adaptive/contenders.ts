import { adaptive, consecutiveFailures, failureRate, slowCallRate, type TripRule } from 'recloser';

const windowMs = 10_000;

/** The rules that are compared. Those with thresholds have what one would set by the books for calls of some 50 ms. */
export const contenders: readonly { readonly name: string; readonly rule: TripRule }[] = [
  { name: 'adaptive()', rule: adaptive() },
  { name: 'consecutiveFailures(5)', rule: consecutiveFailures(5) },
  { name: 'failureRate 20 %', rule: failureRate({ threshold: 0.2, windowMs }) },
  { name: 'failureRate 50 %', rule: failureRate({ threshold: 0.5, windowMs }) },
  { name: 'slowCallRate 50 %', rule: slowCallRate({ threshold: 0.5, slowCallMs: 250, windowMs }) },
];

export const loads = [0.1, 1, 10, 100, 1_000, 10_000] as const;

/** A call that has ended. */
export interface Call {
  readonly endedAt: number;
  readonly ms: number;
  readonly failed: boolean;
}

export const sleepMs = 30_000;

/** When the circuit opens on these calls, in the order of their ends: for `sleepMs`, then it closes. */
export function openings(rule: TripRule, calls: Iterable<Call>, startsAt = 0): number[] {
  const counter = rule.start(startsAt);
  const opened: number[] = [];
  let closesAt = -Infinity;
  for (const { endedAt, ms, failed } of calls) {
    if (endedAt < closesAt) continue;
    if (closesAt > -Infinity) counter.clear(endedAt);
    closesAt = -Infinity;
    if (!counter.record(failed, ms, endedAt)) continue;
    opened.push(endedAt);
    closesAt = endedAt + sleepMs;
  }
  return opened;
}
