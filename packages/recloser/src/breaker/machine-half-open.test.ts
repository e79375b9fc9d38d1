import { describe, expect, test } from 'vitest';
import { base, call, run, tripped } from '../../../../test/support/machine.ts';
import { noFacts } from './evidence.ts';
import type { HalfOpen, MachineEvent } from './machine.ts';

describe('half-open', () => {
  test('closes after the threshold of successes, and begins a generation', () => {
    const driver = run();
    const first = driver.halfOpen();
    expect(driver.end('succeeded', first)).toEqual([]);
    expect(driver.machine).toMatchObject({ state: 'half-open', successes: 1 });
    driver.now += 500;
    const effects = driver.end('succeeded', driver.admitted() as number);
    expect(driver.machine).toEqual({ state: 'closed', generation: 4 });
    expect(effects).toMatchObject([
      {
        from: 'half-open',
        to: 'closed',
        evidence: { rule: 'probe', value: 2, threshold: 2, calls: 2, openForMs: 1_500 },
      },
    ]);
  });

  test('opens on one failure', () => {
    const driver = run();
    const effects = driver.end('failed', driver.halfOpen());
    expect(driver.machine).toMatchObject({ state: 'open', generation: 4, attempt: 2, openedAt: 1_000, downSince: 0 });
    expect(effects).toMatchObject([{ to: 'open', evidence: { rule: 'probe', value: 1, threshold: 1, failures: 1 } }]);
  });

  test('an ignored probe gives its permit back and leaves everything else', () => {
    const driver = run();
    const probe = driver.halfOpen();
    expect(driver.admitted()).toBeUndefined();
    driver.end('ignored', probe);
    expect(driver.machine).toMatchObject({ probes: [], successes: 0, failures: 0 });
    expect(driver.admitted()).toBe(2);
  });

  test('results of another generation, and resets and trips of it, tell it nothing', () => {
    const driver = run();
    driver.halfOpen();
    const before = driver.machine;
    for (const generation of [1, 2, 4]) {
      for (const type of ['succeeded', 'failed', 'ignored', 'lease-ended'] as const) driver.end(type, 1, generation);
    }
    driver.step(tripped);
    expect(driver.machine).toBe(before);
  });

  test('with several permits refusals say when the first lease ends', () => {
    const driver = run({ ...base, maxProbes: 2, probeTimeoutMs: 300 });
    driver.halfOpen();
    driver.now += 100;
    driver.admitted();
    driver.now += 50;
    expect(driver.step(call)).toEqual([{ type: 'refuse', reason: 'half-open', retryAfterMs: 150 }]);
    driver.now += 250;
    expect(driver.step(call)).toMatchObject([{ type: 'refuse', retryAfterMs: 0 }]);
  });

  test('S8: a lease whose end nobody tells is freed when it is late by its own length', () => {
    const driver = run({ ...base, probeTimeoutMs: 300 });
    const lost = driver.halfOpen();
    driver.now += 599;
    expect(driver.admitted()).toBeUndefined();
    driver.now += 1;
    expect(driver.admitted()).toBe(2);
    expect(driver.machine).toMatchObject({ failures: 0 });
    expect(driver.admitted()).toBeUndefined();
    // What is told of it after all still decides: the process may only have stood still.
    expect(driver.end('lease-ended', lost)).toMatchObject([{ to: 'open', evidence: { rule: 'probeTimeout' } }]);
  });

  test('S29: of probes that are lost it keeps a thousand', () => {
    const driver = run({ ...base, probeTimeoutMs: 1 });
    driver.halfOpen();
    for (let i = 0; i < 2_000; i++) {
      driver.now += 2;
      expect(driver.admitted()).toBe(i + 2);
    }
    expect((driver.machine as HalfOpen).probes.length).toBe(1_000);
  });

  test('S8: a probe whose lease has failed decides nothing, however late it ends', () => {
    const driver = run({ ...base, maxProbes: 3, probeTimeoutMs: 300, sample: { calls: 3, failureRate: 0.9 } });
    const probe = driver.halfOpen();
    driver.end('lease-ended', probe);
    driver.now += 10_000;
    expect(driver.admitted()).toBe(2);
    driver.end('succeeded', probe);
    expect(driver.machine).toMatchObject({ failures: 1, successes: 0 });
  });

  test('a lease that fails counts once, whoever comes later', () => {
    const driver = run({ ...base, maxProbes: 3, probeTimeoutMs: 300, sample: { calls: 3, failureRate: 0.9 } });
    const probe = driver.halfOpen();
    expect(driver.end('lease-ended', probe)).toEqual([]);
    expect(driver.machine).toMatchObject({ failures: 1 });
    driver.end('lease-ended', probe);
    driver.end('succeeded', probe);
    expect(driver.machine).toMatchObject({ failures: 1, successes: 0, probes: [] });
  });

  test('a lease that fails opens, and says so', () => {
    const driver = run({ ...base, probeTimeoutMs: 300 });
    const effects = driver.end('lease-ended', driver.halfOpen());
    expect(effects).toMatchObject([{ to: 'open', evidence: { rule: 'probeTimeout' } }]);
  });

  test('an end of a lease that nobody holds is none', () => {
    const driver = run({ ...base, probeTimeoutMs: 300 });
    driver.halfOpen();
    expect(driver.end('lease-ended', 99)).toEqual([]);
    expect(driver.machine.state).toBe('half-open');
  });

  test('with neither limit a lease frees its permit after the sleep it slept, and its result still decides', () => {
    const driver = run();
    const slow = driver.halfOpen();
    driver.now += 999;
    expect(driver.admitted()).toBeUndefined();
    driver.now += 1;
    expect(driver.admitted()).toBe(2);
    expect(driver.admitted()).toBeUndefined();
    driver.end('failed', slow);
    expect(driver.machine.state).toBe('open');
  });

  test('after a sleep of 0 such a lease lasts a second: no stampede', () => {
    const driver = run({ ...base, sleepMs: () => 0 });
    driver.open();
    expect(driver.admitted()).toBe(1);
    driver.now = 999;
    expect(driver.admitted()).toBeUndefined();
    driver.now = 1_000;
    expect(driver.admitted()).toBe(2);
  });

  test('a sample admits as many as it lacks, at most the permits, and one in any case', () => {
    const settings = { ...base, maxProbes: 2, sample: { calls: 3, failureRate: 0.5 } };
    const driver = run(settings);
    const probes = [driver.halfOpen(), driver.admitted() as number];
    expect(driver.admitted()).toBeUndefined();
    for (const probe of probes) driver.end('succeeded', probe);
    const last = driver.admitted() as number;
    expect(driver.admitted()).toBeUndefined();
    driver.end('failed', last);
    expect(driver.machine.state).toBe('closed');
  });

  test('a sample decides by its rate: ≥', () => {
    for (const [failures, state] of [
      [1, 'closed'],
      [2, 'open'],
      [3, 'open'],
    ] as const) {
      const driver = run({ ...base, maxProbes: 9, sample: { calls: 4, failureRate: 0.5 } });
      const probes = [driver.halfOpen(), ...[0, 0, 0].map(() => driver.admitted() as number)];
      const effects = probes.flatMap((probe, i) => driver.end(i < failures ? 'failed' : 'succeeded', probe));
      expect(driver.machine.state).toBe(state);
      expect(effects).toMatchObject([{ evidence: { rule: 'probeSample', value: failures / 4, calls: 4, failures } }]);
    }
  });

  test('S24: durations in evidence are differences: of the sleep, and since the circuit was closed', () => {
    const driver = run({ ...base, successThreshold: 1 });
    driver.now = 50_000;
    driver.open();
    driver.now += 1_200;
    const [halfOpened] = driver.step(call);
    expect(halfOpened).toMatchObject({ evidence: { value: 1_200, threshold: 1_000, openForMs: 1_200 } });
    driver.now += 300;
    const [opened] = driver.end('failed', 1);
    expect(opened).toMatchObject({ evidence: { openForMs: 1_500 } });
    driver.now += 1_000;
    const [closed] = driver.end('succeeded', driver.admitted() as number);
    expect(closed).toMatchObject({ to: 'closed', evidence: { openForMs: 2_500 } });
    expect(driver.step({ type: 'reset' })).toMatchObject([{ evidence: { openForMs: 0 } }]);
  });

  test('S20: the wish of a failed probe to be left alone reaches the sleep', () => {
    const wishes: number[] = [];
    const driver = run({
      ...base,
      sleepMs: (_attempt, _why, _previous, retryAfterMs) => wishes.push(retryAfterMs) * 1_000,
    });
    const probe = driver.halfOpen();
    driver.step({ type: 'failed', generation: 3, probe, facts: noFacts, retryAfterMs: 7_777 });
    expect(wishes).toEqual([0, 7_777]);
  });

  test('a settled probe is no longer among those out', () => {
    const driver = run({ ...base, maxProbes: 2, successThreshold: 3 });
    driver.end('succeeded', driver.halfOpen());
    expect(driver.machine).toMatchObject({ probes: [], successes: 1 });
    const sampled = run({ ...base, maxProbes: 2, sample: { calls: 3, failureRate: 1 } });
    sampled.end('failed', sampled.halfOpen());
    expect(sampled.machine).toMatchObject({ probes: [], failures: 1 });
  });

  test('a sample lacks what is neither success nor failure yet', () => {
    const driver = run({ ...base, maxProbes: 9, sample: { calls: 4, failureRate: 1 } });
    driver.end('failed', driver.halfOpen());
    driver.end('succeeded', driver.admitted() as number);
    expect([1, 2, 3].map(() => driver.admitted() !== undefined)).toEqual([true, true, false]);
  });

  test('carries the errors of the opening into its evidence', () => {
    const driver = run();
    const facts = { topErrors: [{ name: 'E', count: 5 }], lastError: { name: 'E', message: 'x' }, slowestMs: 5 };
    driver.step({ ...tripped, facts } as MachineEvent);
    driver.now = 1_000;
    const [entered] = driver.step(call);
    expect(entered).toMatchObject({ evidence: { topErrors: facts.topErrors, lastError: facts.lastError } });
    expect(entered).not.toHaveProperty('evidence.slowestMs');
  });
});
