import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { base, call, deepFreeze, measured, run, tripped } from '../../../../test/support/machine.ts';
import { noFacts } from './evidence.ts';
import { initialMachine, type Machine, type MachineEvent, type MachineSettings, step } from './machine.ts';

describe('closed', () => {
  test('begins closed in generation 1 and admits everything', () => {
    const driver = run();
    expect(driver.machine).toEqual({ state: 'closed', generation: 1 });
    expect(driver.step(call)).toEqual([{ type: 'admit', generation: 1, probe: 0 }]);
  });

  test('trips into open, with evidence', () => {
    const driver = run();
    driver.now = 50;
    const effects = driver.step(tripped);
    expect(driver.machine).toMatchObject({
      state: 'open',
      generation: 2,
      attempt: 1,
      downSince: 50,
      openedAt: 50,
      sleepMs: 1_000,
    });
    expect(effects).toMatchObject([
      { from: 'closed', to: 'open', evidence: { ...measured, generation: 2, openForMs: 0 } },
    ]);
  });

  test('results tell it nothing: samples are the trip rule’s', () => {
    const driver = run();
    for (const type of ['succeeded', 'failed', 'ignored', 'lease-ended'] as const)
      expect(driver.end(type, 0)).toEqual([]);
    expect(driver.machine).toEqual(initialMachine);
  });
});

describe('open', () => {
  test('refuses until the sleep is over, and says for how long', () => {
    const driver = run();
    driver.open();
    driver.now = 400;
    expect(driver.step(call)).toEqual([{ type: 'refuse', reason: 'open', retryAfterMs: 600 }]);
    driver.now = 999.9;
    expect(driver.admitted()).toBeUndefined();
    expect(driver.machine.state).toBe('open');
  });

  test('becomes half-open by the first call at the end of the sleep, which is its first probe', () => {
    const driver = run();
    driver.open();
    driver.now = 1_000;
    const effects = driver.step(call);
    expect(effects).toMatchObject([
      { from: 'open', to: 'half-open', evidence: { rule: 'sleepWindow', generation: 3 } },
      { type: 'admit', generation: 3, probe: 1 },
    ]);
    expect(driver.machine).toMatchObject({
      state: 'half-open',
      probingSince: 1_000,
      sleepMs: 1_000,
      successes: 0,
      failures: 0,
    });
  });

  test('does not trip again, and results tell it nothing', () => {
    const driver = run();
    driver.open();
    const before = driver.machine;
    driver.step(tripped);
    for (const type of ['succeeded', 'failed', 'ignored', 'lease-ended'] as const) driver.end(type, 1);
    expect(driver.machine).toBe(before);
  });

  test('a sleep of 0 lets the very next call probe', () => {
    const driver = run({ ...base, sleepMs: () => 0 });
    driver.open();
    expect(driver.admitted()).toBe(1);
  });

  test('asks for the sleep with attempt, evidence, the sleep before and the wish of the dependency', () => {
    const asked: unknown[][] = [];
    const sleepMs: MachineSettings['sleepMs'] = (...args) => {
      asked.push(args);
      return 1_000 * asked.length;
    };
    const driver = run({ ...base, sleepMs });
    driver.step({ ...tripped, retryAfterMs: 77 } as MachineEvent);
    driver.now = 1_000;
    const probe = driver.admitted() as number;
    driver.end('failed', probe);
    expect(asked).toMatchObject([
      [1, { rule: 'consecutiveFailures' }, undefined, 77],
      [2, { rule: 'probe' }, 1_000, 0],
    ]);
    expect(driver.machine).toMatchObject({ attempt: 2, sleepMs: 2_000, downSince: 0, openedAt: 1_000 });
  });
});

describe('recovery', () => {
  const ramped = { ...base, successThreshold: 1, recovery: { rampMs: 1_000, initialShare: 0.25 } };

  test('begins on closing and admits the first call', () => {
    const driver = run(ramped);
    driver.end('succeeded', driver.halfOpen());
    expect(driver.machine).toMatchObject({ state: 'closed', ramp: { since: 1_000 } });
    expect([1, 2, 3, 4, 5].map(() => driver.admitted())).toEqual([0, undefined, undefined, undefined, 0]);
  });

  test('refuses with the time that is left of it', () => {
    const driver = run(ramped);
    driver.end('succeeded', driver.halfOpen());
    driver.admitted();
    driver.now += 300;
    expect(driver.step(call)).toEqual([{ type: 'refuse', reason: 'recovery', retryAfterMs: 700 }]);
  });

  test('is over at its end, to the very millisecond', () => {
    const driver = run(ramped);
    driver.end('succeeded', driver.halfOpen());
    driver.now += 999;
    driver.admitted();
    expect(driver.machine).toHaveProperty('ramp');
    driver.now += 1;
    driver.admitted();
    expect(driver.machine).toEqual({ state: 'closed', generation: 4 });
  });

  test('S11: admits exactly the share, with any share and at any moment', () => {
    fc.assert(
      fc.property(
        fc.double({ min: 0.001, max: 1, noNaN: true }),
        fc.integer({ min: 0, max: 999 }),
        fc.integer({ min: 1, max: 400 }),
        (initialShare, at, calls) => {
          const driver = run({ ...ramped, recovery: { rampMs: 1_000, initialShare } });
          driver.end('succeeded', driver.halfOpen());
          driver.now += at;
          let admitted = 0;
          for (let i = 0; i < calls; i++) if (driver.admitted() !== undefined) admitted++;
          const share = initialShare + ((1 - initialShare) * at) / 1_000;
          expect(Math.abs(admitted - calls * share)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 100 },
    );
  });

  test('a trip while recovering opens as ever, and the ramp is gone', () => {
    const driver = run(ramped);
    driver.end('succeeded', driver.halfOpen());
    driver.open();
    expect(driver.machine).toMatchObject({ state: 'open', attempt: 1 });
    expect(driver.machine).not.toHaveProperty('ramp');
  });

  test('a clock that steps back admits no less than the first share', () => {
    const driver = run(ramped);
    driver.end('succeeded', driver.halfOpen());
    driver.now = 0;
    expect([1, 2, 3, 4, 5].map(() => driver.admitted())).toEqual([0, undefined, undefined, undefined, 0]);
  });
});

describe('reset', () => {
  test('closes in any state, without a ramp, and raises the generation', () => {
    for (const prepare of [
      () => {},
      (d: ReturnType<typeof run>) => d.open(),
      (d: ReturnType<typeof run>) => d.halfOpen(),
    ]) {
      const driver = run({ ...base, recovery: { rampMs: 1_000, initialShare: 0.1 } });
      prepare(driver);
      const { generation, state } = driver.machine;
      const effects = driver.step({ type: 'reset' });
      expect(driver.machine).toEqual({ state: 'closed', generation: generation + 1 });
      expect(effects).toMatchObject([{ from: state, to: 'closed', evidence: { rule: 'reset' } }]);
    }
  });
});

describe('as a function', () => {
  const events = fc.array(
    fc.oneof(
      fc.constant<MachineEvent>(call),
      fc.constant<MachineEvent>(tripped),
      fc.record({
        type: fc.constantFrom('succeeded', 'failed', 'ignored', 'lease-ended'),
        probe: fc.integer({ min: 0, max: 4 }),
        generation: fc.integer({ min: 1, max: 6 }),
        facts: fc.constant(noFacts),
        retryAfterMs: fc.constant(0),
      }) as fc.Arbitrary<MachineEvent>,
      fc.constant<MachineEvent>({ type: 'reset' }),
    ),
    { maxLength: 40 },
  );
  const kinds: MachineSettings[] = [
    base,
    { ...base, maxProbes: 3, probeTimeoutMs: 100 },
    { ...base, maxProbes: 3, sample: { calls: 3, failureRate: 0.5 }, recovery: { rampMs: 500, initialShare: 0.1 } },
  ];

  test('S1: it never mutates what it is given, and the same arguments give the same answer', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        events,
        fc.array(fc.nat(800), { minLength: 40, maxLength: 40 }),
        (settings, list, waits) => {
          let machine: Machine = deepFreeze({ ...initialMachine });
          let now = 0;
          for (const [i, event] of list.entries()) {
            now += waits[i] as number;
            const before = JSON.stringify(machine);
            const first = step(machine, deepFreeze({ ...event }), now, settings);
            const second = step(machine, event, now, settings);
            expect(second).toEqual(first);
            expect(JSON.stringify(machine)).toBe(before);
            machine = deepFreeze(first.machine);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  test('S1: its state is plain JSON, with the fields of its state only', () => {
    const fields: Record<Machine['state'], string[]> = {
      closed: ['state', 'generation', 'ramp'],
      open: ['state', 'generation', 'attempt', 'downSince', 'sleepMs', 'evidence', 'openedAt'],
      'half-open': [
        ...['state', 'generation', 'attempt', 'downSince', 'sleepMs', 'evidence'],
        ...['probingSince', 'probes', 'nextProbe', 'successes', 'failures'],
      ],
    };
    fc.assert(
      fc.property(fc.constantFrom(...kinds), events, (settings, list) => {
        let machine: Machine = initialMachine;
        for (const [i, event] of list.entries()) {
          ({ machine } = step(machine, event, i * 300, settings));
          expect(JSON.parse(JSON.stringify(machine))).toEqual(machine);
          expect(Object.keys(machine).filter((key) => !fields[machine.state].includes(key))).toEqual([]);
        }
      }),
      { numRuns: 300 },
    );
  });

  test('S2, S7: generations only rise, by one an entry, and never more probes are out than permitted', () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...kinds),
        events,
        fc.array(fc.nat(800), { minLength: 40, maxLength: 40 }),
        (settings, list, waits) => {
          let machine: Machine = initialMachine;
          let now = 0;
          for (const [i, event] of list.entries()) {
            now += waits[i] as number;
            const next = step(machine, event, now, settings);
            expect(next.machine.generation).toBe(machine.generation + (next.entered ? 1 : 0));
            machine = next.machine;
            if (machine.state === 'half-open') {
              // One whose lease has been over for as long again is lost: its timer never came.
              const lostBefore = now - settings.probeTimeoutMs;
              const out = machine.probes.filter(({ ended, leaseEndsAt }) => !ended && leaseEndsAt > lostBefore);
              expect(out.length).toBeLessThanOrEqual(settings.maxProbes);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe('woken', () => {
  test('the sleep of an open circuit ends now, however late it is by the clock', () => {
    const driver = run();
    driver.now = 1_000;
    driver.step(tripped);
    driver.now = 1_300;
    driver.step({ type: 'woken' });
    expect(driver.machine).toMatchObject({ state: 'open', openedAt: 1_000, sleepMs: 1_000, woken: true });
    expect(driver.admitted()).toBe(1);
  });

  test('a sleep that is over stays as it was, and in any other state it is nothing', () => {
    const driver = run();
    driver.step({ type: 'woken' });
    expect(driver.machine).toEqual(initialMachine);
    driver.step(tripped);
    driver.now = 1_000;
    driver.step({ type: 'woken' });
    expect(driver.machine).not.toHaveProperty('woken');
    driver.now = 5_000;
    driver.step({ type: 'woken' });
    expect(driver.machine).toMatchObject({ sleepMs: 1_000 });
    expect(driver.machine).not.toHaveProperty('woken');
    driver.admitted();
    const halfOpen = driver.machine;
    driver.step({ type: 'woken' });
    expect(driver.machine).toEqual(halfOpen);
  });
});
