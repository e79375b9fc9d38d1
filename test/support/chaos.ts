import { type Chaos, type ChaosEvents, type ChaosOptions, chaos } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { type Mock, vi } from 'vitest';

/** Chaos on a clock of its own that strikes every call, with all it tells and reports. */
export interface ChaosScene<Answer> {
  readonly clock: ManualClock;
  readonly policy: Chaos<Answer>;
  readonly told: [keyof ChaosEvents, unknown][];
  readonly faults: unknown[];
  readonly work: Mock<() => string>;
  call(key?: string): Promise<unknown>;
}

export function setUp<Answer = never>(options: Partial<ChaosOptions<Answer>> = {}): ChaosScene<Answer> {
  const clock = manualClock();
  const told: [keyof ChaosEvents, unknown][] = [];
  const faults: unknown[] = [];
  const policy = chaos<Answer>({
    name: 'monkey',
    rate: 1,
    enabled: true,
    clock,
    ...options,
    onInjected: (event) => told.push(['injected', event]),
    onEnabled: (event) => told.push(['enabled', event]),
    onDisabled: (event) => told.push(['disabled', event]),
    onUpdated: (event) => told.push(['updated', event]),
    onListenerError: (fault, event) => faults.push([(fault as Error).message, event]),
  } as ChaosOptions<Answer>);
  const work = vi.fn(() => 'real');
  const call = (key?: string): Promise<unknown> => policy.execute(work, { key });
  return { clock, policy, told, faults, work, call };
}
