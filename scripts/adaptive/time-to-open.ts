import type { TripRule } from 'recloser';
import { type Chance, chance } from '../../test/support/chance.ts';
import { type Call, contenders, loads } from './contenders.ts';

type Started = { at: number; ms: number; failed: boolean };

/** What befalls the calls of a dependency from 0 ms on. */
export interface Fault {
  readonly name: string;
  /** How long it is looked at. */
  readonly forMs: (perSecond: number) => number;
  befall(calls: Started[], unit: () => number): void;
}

const forLong = (perSecond: number): number => Math.max(15_000, 300_000 / perSecond);

const each = (name: string, change: (call: Started, unit: () => number) => void): Fault => ({
  name,
  forMs: forLong,
  befall: (calls, unit) => {
    for (const call of calls) if (call.at >= 0) change(call, unit);
  },
});

export const outages: readonly Fault[] = [
  each('every call hangs until its timeout of 1 s', (call) => Object.assign(call, { failed: true, ms: 1_000 })),
  each('half of the calls fail', (call, unit) => {
    call.failed ||= unit() < 0.5;
  }),
  each('every call takes ten times as long', (call) => {
    call.ms *= 10;
  }),
];

/** What would end in that time ends after it, one right after the other. */
function hold(calls: Started[], lengthMs: number): void {
  const waiting = calls.filter(({ at, ms }) => at + ms >= 0 && at + ms < lengthMs);
  waiting.sort((a, b) => a.at + a.ms - (b.at + b.ms));
  for (const [i, call] of waiting.entries()) call.ms = lengthMs + i * 0.02 - call.at;
}

/** What passes by itself and is no reason to refuse calls for half a minute. */
export const moments: readonly Fault[] = [
  {
    name: 'a reset takes a quarter of the connections and their calls',
    forMs: () => 5_000,
    befall: (calls, unit) => {
      for (const call of calls) {
        if (call.at > 0 || call.at + call.ms < 0 || unit() > 0.25) continue;
        call.ms = unit() / 2 - call.at;
        call.failed = true;
      }
    },
  },
  { name: 'the dependency pauses for 300 ms', forMs: () => 5_000, befall: (calls) => hold(calls, 300) },
  { name: 'the dependency pauses for 1 s', forMs: () => 5_000, befall: (calls) => hold(calls, 1_000) },
  {
    name: 'our own event loop stalls for 500 ms',
    forMs: () => 5_000,
    befall: (calls) => {
      for (const call of calls) if (call.at >= 0 && call.at < 500) call.at = 500;
      hold(calls, 500);
    },
  },
];

const usual = ({ unit, normal }: Chance, at: number): Started => ({
  at,
  ms: 50 * Math.exp(0.6 * normal()),
  failed: unit() < 0.01,
});

function* traffic(random: Chance, perSecond: number, fromMs: number, toMs: number): Generator<Started> {
  for (let at = fromMs + random.gap(perSecond); at < toMs; at += random.gap(perSecond)) yield usual(random, at);
}

const inOrderOfEnd = (calls: Started[]): Call[] =>
  calls.map(({ at, ms, failed }) => ({ endedAt: at + ms, ms, failed })).sort((a, b) => a.endedAt - b.endedAt);

/** A minute or 2,000 calls of usual traffic, up to 0 ms. */
function warmUp(rule: TripRule, perSecond: number, seed: number): unknown {
  const forMs = Math.max(60_000, 2_000_000 / perSecond);
  const counter = rule.start(-forMs);
  for (const { at, ms, failed } of traffic(chance(seed), perSecond, -forMs, 0)) {
    if (counter.record(failed, ms, at)) counter.clear(at);
  }
  return counter.toJSON(0);
}

const trials = 21;

export interface TimeToOpen {
  readonly fault: string;
  readonly contender: string;
  readonly perSecond: number;
  /** Of each trial, in order; Infinity: it did not open. */
  readonly ms: readonly number[];
}

/** Every contender meets the same calls. */
export function timeToOpen(faults: readonly Fault[]): TimeToOpen[] {
  return loads.flatMap((perSecond, i) => {
    const warm = contenders.map(({ rule }) => warmUp(rule, perSecond, 2_000 + i));
    return faults.flatMap((fault, f) => {
      const results = contenders.map(({ name }) => ({
        contender: name,
        fault: fault.name,
        perSecond,
        ms: [] as number[],
      }));
      for (let trial = 0; trial < trials; trial++) {
        const random = chance(10_000 * (f + 1) + 100 * i + trial);
        const started = [...traffic(random, perSecond, -2_000, fault.forMs(perSecond))];
        fault.befall(started, random.unit);
        const calls = inOrderOfEnd(started).filter(({ endedAt }) => endedAt >= 0);
        for (const [c, { rule }] of contenders.entries()) {
          const counter = rule.start(0, warm[c]);
          const opening = calls.find(({ failed, ms, endedAt }) => counter.record(failed, ms, endedAt));
          results[c]?.ms.push(opening?.endedAt ?? Infinity);
        }
      }
      for (const { ms } of results) ms.sort((a, b) => a - b);
      return results;
    });
  });
}
