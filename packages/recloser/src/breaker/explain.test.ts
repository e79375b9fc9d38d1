import { describe, expect, test } from 'vitest';
import { evidence, noFacts } from './evidence.ts';
import { explain, whyOf } from './explain.ts';
import type { HalfOpen, Machine, MachineSettings } from './machine.ts';
import { override } from './override.ts';
import { consecutiveFailures } from './trip-rules/consecutive-failures.ts';
import type { Measurement, TripRule } from './trip-rules/rule.ts';
import { failureRate, slowCallRate } from './trip-rules/windowed.ts';

const trip: TripRule = consecutiveFailures(5);
const settings: MachineSettings & { trip: TripRule } = {
  trip,
  successThreshold: 2,
  maxProbes: 1,
  probeTimeoutMs: 0,
  sample: undefined,
  recovery: undefined,
  sleepMs: () => 0,
};
const measured: Measurement = { rule: 'consecutiveFailures', value: 5, threshold: 5, calls: 5, failures: 5 };
const timeouts = { topErrors: [{ name: 'ETIMEDOUT', count: 5 }] };
const why = evidence(measured, timeouts, 2, 0);
const open: Machine = {
  state: 'open',
  generation: 2,
  attempt: 1,
  downSince: 0,
  sleepMs: 30_000,
  evidence: why,
  openedAt: 0,
};
const halfOpen: HalfOpen = {
  state: 'half-open',
  generation: 3,
  attempt: 1,
  downSince: 0,
  sleepMs: 30_000,
  evidence: why,
  probingSince: 30_000,
  probes: [],
  nextProbe: 1,
  successes: 0,
  failures: 0,
};
const say = (machine: Machine, now: number, more: Partial<typeof settings> = {}, m: Measurement = measured) =>
  explain(machine, { ...settings, ...more }, m, undefined, now);

describe('one sentence', () => {
  test('S24: open: since when, why, and when it probes', () => {
    expect(say(open, 12_300)).toBe('open for 12.3 s: 5 consecutive failures (ETIMEDOUT ×5), next probe in 17.7 s');
    expect(say(open, 30_000)).toBe('open for 30 s: 5 consecutive failures (ETIMEDOUT ×5), the next call is a probe');
  });

  test('S24: of more failures than are remembered it says how many it speaks of', () => {
    const many: Measurement = {
      rule: 'failureRate',
      value: 0.5,
      threshold: 0.5,
      calls: 66,
      failures: 33,
      windowMs: 10_000,
    };
    const facts = { topErrors: [{ name: 'HTTP 503', count: 32 }], slowestMs: 900 };
    const rule = failureRate({ threshold: 0.5, windowMs: 10_000 });
    expect(whyOf(evidence(many, facts, 2, 0), rule)).toMatch(/ \(of the last 32: HTTP 503 ×32, slowest 900 ms\)$/);
    expect(whyOf(evidence({ ...many, failures: 32 }, facts, 2, 0), rule)).toMatch(/ \(HTTP 503 ×32, slowest 900 ms\)$/);
  });

  test('S24: half-open: what is out, what came back, what is needed', () => {
    const probe = { id: 1, leaseEndsAt: 31_001, fails: false };
    expect(say(halfOpen, 30_500)).toMatch(
      /^half-open for 500 ms: 0 probes out, 0 of 2 probes succeeded, closes at 2; /,
    );
    expect(say({ ...halfOpen, probes: [{ ...probe, leaseEndsAt: 31_000 }] }, 31_000)).toContain('0 probes out');
    const late = { ...probe, fails: true, ended: true as const };
    expect(say({ ...halfOpen, probes: [late, late], failures: 2 }, 31_000)).toContain('0 probes out, 0 of 2 probes');
    expect(say({ ...halfOpen, probes: [probe], successes: 1 }, 31_000)).toMatch(
      /^half-open for 1 s: 1 probe out, 1 of 2 probes succeeded, closes at 2; it had opened on 5 consecutive failures \(ETIMEDOUT ×5\)$/,
    );
    const sample = { calls: 10, failureRate: 0.5 };
    expect(say({ ...halfOpen, successes: 3, failures: 2 }, 31_000, { sample })).toMatch(
      /5 of 10 probes settled, decides at 10; /,
    );
  });

  test('S24: closed: what is measured and what opens', () => {
    const m = { ...measured, value: 2, calls: 2, failures: 2 };
    expect(say({ state: 'closed', generation: 1 }, 0, {}, m)).toBe('closed: 2 consecutive failures, opens at 5');
  });

  test('S24: closed, a rate: with its minimum as long as that matters', () => {
    const rate = failureRate({ threshold: 0.25, windowMs: 10_000, minimumCalls: 3 });
    const counter = rate.start(0);
    const closed: Machine = { state: 'closed', generation: 1 };
    counter.record(true, 0, 0);
    expect(say(closed, 0, { trip: rate }, counter.measure(0))).toBe(
      'closed: failure rate 100 % of 1 call in 10 s, opens at 25 % from 3 calls on',
    );
    for (let i = 0; i < 9; i++) counter.record(false, 0, 0);
    expect(say(closed, 0, { trip: rate }, counter.measure(0))).toBe(
      'closed: failure rate 10 % of 10 calls in 10 s, opens at 25 %',
    );
  });

  test('S24: recovering, until the ramp is over', () => {
    const ramping: Machine = { state: 'closed', generation: 4, ramp: { since: 0, credit: 0 } };
    expect(say(ramping, 400, { recovery: { rampMs: 1_000, initialShare: 0.1 } })).toBe(
      'closed and recovering: all calls pass in 600 ms',
    );
    expect(say(ramping, 1_000, { recovery: { rampMs: 1_000, initialShare: 0.1 } })).toMatch(
      /^closed: 5 consecutive failures/,
    );
  });

  test('S24: a set state, with who, why and how long, over what is underneath', () => {
    const over = (options: Parameters<typeof override>[1]) =>
      explain(open, settings, measured, override('forced-open', options, 0), 10_000);
    expect(over({ by: 'ada', reason: 'migration', expiresInMs: 70_000 })).toMatch(
      /^forced-open by ada \(migration\) for another 1 min; underneath: open for 10 s/,
    );
    expect(over({})).toMatch(/^forced-open until released; underneath: open/);
    expect(over({ by: 'ada' })).toMatch(/^forced-open by ada until released;/);
  });
});

describe('why', () => {
  const of = (m: Measurement, facts = noFacts, rule = trip) => whyOf(evidence(m, facts, 1, 0), rule);
  const bare = { value: 0, threshold: 0, calls: 0 };

  test('S24: every kind of decision has its words', () => {
    expect(of({ ...bare, rule: 'reset' })).toBe('reset');
    expect(of({ ...bare, rule: 'sleepWindow', threshold: 30_000 })).toBe('the sleep window of 30 s is over');
    expect(of({ ...bare, rule: 'probeTimeout' })).toBe('a probe did not settle in time');
    expect(of({ ...bare, rule: 'probe', value: 2, threshold: 2, calls: 2, failures: 0 })).toBe(
      '2 of 2 probes succeeded',
    );
    expect(of({ ...bare, rule: 'probe', failures: 1 }, timeouts)).toBe('a probe failed (ETIMEDOUT ×5)');
    expect(of({ ...bare, rule: 'probe', failures: 1 }, { topErrors: [], slowestMs: 1_200 })).toBe(
      'a probe failed (slowest 1.2 s)',
    );
    expect(of({ rule: 'probeSample', value: 0.5, threshold: 0.5, calls: 4, failures: 2 }, timeouts)).toBe(
      '2 of 4 probes failed (ETIMEDOUT ×5)',
    );
  });

  test('S24: the threshold is said where the value is another', () => {
    expect(of({ ...measured, value: 6 })).toBe('6 consecutive failures, threshold 5');
    expect(of(measured)).toBe('5 consecutive failures');
  });

  test('S24: several classes of errors are listed', () => {
    const topErrors = [
      { name: 'A', count: 3 },
      { name: 'B', count: 1 },
    ];
    expect(of(measured, { topErrors })).toBe('5 consecutive failures (A ×3, B ×1)');
  });

  test('S24: a rule of the user’s speaks for itself, or is named with its figures', () => {
    const mine = (describe?: TripRule['describe']): TripRule => ({
      name: 'mine',
      start: () => consecutiveFailures(1).start(0),
      ...(describe ? { describe } : {}),
    });
    const m = { rule: 'mine', value: 7, threshold: 3, calls: 9 };
    expect(of(m, noFacts, mine())).toBe('mine at 7, threshold 3');
    expect(
      of(
        m,
        noFacts,
        mine(({ value }) => `${value} strikes`),
      ),
    ).toBe('7 strikes, threshold 3');
    expect(
      of(
        m,
        noFacts,
        mine(() => undefined),
      ),
    ).toBe('mine at 7, threshold 3');
    const broken = (): never => {
      throw new Error('describe');
    };
    expect(of(m, noFacts, mine(broken))).toBe('mine at 7, threshold 3');
    expect(of({ ...m, rule: 'mineRate', value: 0.5, threshold: 0.25 }, noFacts, mine())).toBe(
      'mineRate at 50 %, threshold 25 %',
    );
  });

  test('S24: slow calls, a confidence bound', () => {
    const slow = slowCallRate({ threshold: 0.5, slowCallMs: 250, windowCalls: 4 });
    const counter = slow.start(0);
    for (const ms of [300, 250, 249, 1]) counter.record(false, ms, 0);
    expect(of(counter.measure(0), noFacts, slow)).toBe('50 % of the last 4 calls took 250 ms or more');
    const sure = failureRate({ threshold: 0.5, windowCalls: 4, confidence: 0.95 });
    const careful = sure.start(0);
    for (let i = 0; i < 4; i++) careful.record(true, 0, 0);
    expect(of(careful.measure(0), noFacts, sure)).toBe(
      'failure rate 100 % (at least 51 % with 95 % confidence) of the last 4 calls, threshold 50 %',
    );
  });
});
