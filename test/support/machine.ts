import { noFacts } from '../../packages/recloser/src/breaker/evidence.ts';
import {
  type Answer,
  type Entered,
  initialMachine,
  type Machine,
  type MachineEvent,
  type MachineSettings,
  step,
} from '../../packages/recloser/src/breaker/machine.ts';

export const base: MachineSettings = {
  successThreshold: 2,
  maxProbes: 1,
  probeTimeoutMs: 0,
  sample: undefined,
  recovery: undefined,
  sleepMs: () => 1_000,
};

export const measured = { rule: 'consecutiveFailures', value: 5, threshold: 5, calls: 5 };
export const tripped: MachineEvent = { type: 'tripped', measured, facts: noFacts, retryAfterMs: 0 };
export const call: MachineEvent = { type: 'call' };

export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.freeze(value);
    for (const member of Object.values(value)) deepFreeze(member);
  }
  return value;
}

/** Drives the machine through events; the state is frozen at each, so that a mutation would throw. */
export function run(settings: MachineSettings = base, from: Machine = initialMachine) {
  const driver = {
    machine: deepFreeze(from) as Machine,
    now: 0,
    /** What it asks the shell for, in order. */
    step(event: MachineEvent): readonly (Entered | Answer)[] {
      const { machine, entered, answer } = step(driver.machine, deepFreeze(event), driver.now, settings);
      driver.machine = deepFreeze(machine);
      return [entered, answer].filter((effect) => effect !== undefined);
    },
    admitted(): number | undefined {
      const answer = driver.step(call).at(-1);
      return answer !== undefined && 'probe' in answer ? answer.probe : undefined;
    },
    end(
      type: 'succeeded' | 'ignored' | 'failed' | 'lease-ended',
      probe: number,
      generation?: number,
    ): readonly (Entered | Answer)[] {
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
