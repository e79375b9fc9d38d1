import { vi } from 'vitest';
import type { Scenario } from './scenario.ts';
import { type Construct, ours, shown, theirs } from './subject.ts';
import { Differs, type Row } from './witness.ts';
import { World } from './world.ts';

/** Everything happens beside the moments at which opossum's intervals turn the window and tell of it. */
const asideMs = 3;

/** One life in time of its own, which begins at the same moment for each. */
async function live(construct: Construct, scenario: Scenario): Promise<unknown[]> {
  vi.useFakeTimers({ now: 1_700_000_000_000 });
  const world = new World(construct, scenario);
  const foreign = process.listeners('unhandledRejection');
  process.removeAllListeners('unhandledRejection');
  process.on('unhandledRejection', (fault) => world.unhandled(fault));
  const pass = async (ms: number): Promise<void> => {
    await vi.advanceTimersByTimeAsync(ms).catch((fault) => world.trace.push(['uncaught', shown(fault)]));
  };
  const told = vi.spyOn(console, 'error').mockImplementation((line) => void world.trace.push(['console.error', line]));
  try {
    await pass(asideMs);
    for (const { command, afterMs } of scenario.steps) {
      if (command.do === 'healthCheck') await pass(1);
      world.command(command);
      if (command.do === 'healthCheck') await pass(9);
      if (command.do === 'restart') await pass(asideMs);
      if (afterMs === undefined) continue;
      await pass(afterMs);
      world.look(command.do);
    }
    await pass(200);
    world.look('end');
    world.command({ do: 'shutdown' });
    await pass(800);
    world.look('after all');
    return world.trace;
  } finally {
    told.mockRestore();
    process.removeAllListeners('unhandledRejection');
    for (const listener of foreign) process.on('unhandledRejection', listener);
    vi.useRealTimers();
  }
}

export interface Lives {
  /** Until the first point at which they differ on purpose. */
  readonly theirs: readonly unknown[];
  readonly ours: readonly unknown[];
  /** What that point is, if there is one. */
  readonly row: Row | undefined;
  /** The rest. */
  readonly after: { readonly theirs: readonly unknown[]; readonly ours: readonly unknown[] };
}

const isPoint = (entry: unknown): entry is Differs => entry instanceof Differs;

export async function play(scenario: Scenario): Promise<Lives> {
  const their = await live(theirs, scenario);
  const our = (await live(ours, scenario)).filter((entry) => !isPoint(entry));
  const point = their.findIndex(isPoint);
  const length = point < 0 ? Infinity : point;
  return {
    theirs: their.slice(0, length),
    ours: our.slice(0, length),
    row: (their[point] as Differs | undefined)?.row,
    after: { theirs: their.slice(length).filter((entry) => !isPoint(entry)), ours: our.slice(length) },
  };
}
