import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { noFacts } from './evidence.ts';
import { type Effect, initialMachine, type Machine, type MachineEvent, type MachineSettings, step } from './machine.ts';

const base: MachineSettings = {
  successThreshold: 2,
  maxProbes: 1,
  probeTimeoutMs: 0,
  sample: undefined,
  rampMs: 0,
  initialShare: 0.1,
  sleepMs: () => 1_000,
};

const measured = { rule: 'consecutiveFailures', value: 5, threshold: 5, calls: 5 };
const tripped: MachineEvent = { type: 'tripped', measured, facts: noFacts, retryAfterMs: 0 };
const call: MachineEvent = { type: 'call' };

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

/** Drives the machine through events; the state is frozen at each, so that a mutation would throw. */
function run(settings: MachineSettings = base, from: Machine = initialMachine) {
  const driver = {
    machine: deepFreeze(from) as Machine,
    now: 0,
    step(event: MachineEvent): readonly Effect[] {
      const { machine, effects } = step(driver.machine, deepFreeze(event), driver.now, settings);
      driver.machine = deepFreeze(machine);
      return effects;
    },
    admitted(): number | undefined {
      const answer = driver.step(call).at(-1);
      return answer?.type === 'admit' ? answer.probe : undefined;
    },
    end(
      type: 'succeeded' | 'ignored' | 'failed' | 'lease-ended',
      probe: number,
      generation?: number,
    ): readonly Effect[] {
      return driver.step(
        type === 'failed'
          ? { type, probe, generation: generation ?? driver.machine.generation, facts: noFacts, retryAfterMs: 0 }
          : ({ type, probe, generation: generation ?? driver.machine.generation } as MachineEvent),
      );
    },
    open(): void {
      driver.step(tripped);
    },
    halfOpen(): number {
      driver.open();
      driver.now += 1_000;
      return driver.admitted() as number;
    },
  };
  return driver;
}

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
      { type: 'entered', from: 'closed', to: 'open', evidence: { ...measured, generation: 2, openForMs: 0 } },
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
      { type: 'entered', from: 'open', to: 'half-open', evidence: { rule: 'sleepWindow', generation: 3 } },
      { type: 'admit', generation: 3, probe: 1 },
    ]);
    expect(driver.machine).toMatchObject({
      state: 'half-open',
      since: 1_000,
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
    driver.now += 1_000;
    expect(driver.step(call)).toMatchObject([{ type: 'refuse', retryAfterMs: 0 }]);
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

describe('recovery', () => {
  const ramped = { ...base, successThreshold: 1, rampMs: 1_000, initialShare: 0.25 };

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
          const driver = run({ ...ramped, initialShare });
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
      const driver = run({ ...base, rampMs: 1_000 });
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
    { ...base, maxProbes: 3, sample: { calls: 3, failureRate: 0.5 }, rampMs: 500 },
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
        ...['since', 'probes', 'nextProbe', 'successes', 'failures'],
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
            const entered = next.effects.filter(({ type }) => type === 'entered').length;
            expect(next.machine.generation).toBe(machine.generation + entered);
            machine = next.machine;
            if (machine.state === 'half-open') {
              expect(machine.probes.filter(({ ended }) => !ended).length).toBeLessThanOrEqual(settings.maxProbes);
            }
          }
        },
      ),
      { numRuns: 300 },
    );
  });
});
