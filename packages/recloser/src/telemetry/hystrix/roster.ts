import type { CircuitBreaker } from '../../breaker/breaker.ts';
import type { CircuitState } from '../../breaker/events.ts';
import type { BreakerMetrics, CallFigures } from '../../breaker/metrics.ts';
import type { RegistryMetrics } from '../../registry/metrics.ts';
import type { Registry } from '../../registry/registry.ts';
import type { LatencySummary } from '../../windows/latency.ts';
import { type Held, Living } from '../living.ts';
import type { Figures } from './command.ts';
import { addGrowth, none, Rolling, type Totals } from './rolling.ts';

export type Watched = CircuitBreaker | Registry;

const isRegistry = (policy: Watched): policy is Registry => 'peek' in policy;

const totalsOf = (figures: CallFigures): Totals => ({
  ...none,
  success: figures.successfulRequests,
  failed: figures.failedRequests,
  timedOut: figures.timedOutRequests,
  ignored: figures.ignoredRequests,
  rejected: figures.rejectedRequests,
  fellBack: figures.fallbackRequests,
});

interface Source extends Held<Watched> {
  /** Its figures when they were last taken up. */
  taken: Totals;
}

/** All that goes by one name: mostly one breaker, or one registry. */
export class Command {
  readonly name: string;
  /** All calls since the name has been known, also those of breakers that are gone. */
  readonly total: Totals = { ...none };
  readonly members: Set<Source> = new Set();
  #rolling: Rolling | undefined;

  constructor(name: string) {
    this.name = name;
  }

  /** No stream is open: what happens until one is belongs to no window. */
  rest(): void {
    this.#rolling = undefined;
  }

  /** Answers with the figures whose growth it has taken up. */
  takeUp(source: Source, policy: Watched): BreakerMetrics | RegistryMetrics {
    const metrics = policy.metrics();
    const totals = totalsOf(metrics);
    addGrowth(this.total, source.taken, totals);
    source.taken = totals;
    return metrics;
  }

  /** The figures of now; `undefined` when all it was of is gone. */
  read(now: number, group: string): Figures | undefined {
    const states: { [S in CircuitState]?: number } = {};
    let inFlight = 0;
    let latency: LatencySummary | undefined;
    let shown: CircuitBreaker | undefined;
    let window: BreakerMetrics['window'] | undefined;
    let isAlive = false;
    for (const source of this.members) {
      const policy = source.ref.deref();
      if (policy === undefined) continue;
      isAlive = true;
      const metrics = this.takeUp(source, policy);
      inFlight += metrics.inFlight;
      const counts = 'states' in metrics ? metrics.states : { [metrics.state]: 1 };
      for (const state of Object.keys(counts) as CircuitState[]) {
        states[state] = (states[state] ?? 0) + (counts[state] ?? 0);
      }
      if ('latency' in metrics && metrics.latency.count > (latency?.count ?? 0)) latency = metrics.latency;
      if (shown === undefined) {
        shown = isRegistry(policy) ? firstOf(policy) : policy;
        window = 'window' in metrics ? metrics.window : shown?.metrics().window;
      }
    }
    if (!isAlive) return undefined;
    this.#rolling ??= new Rolling();
    const { grown, mostInFlight } = this.#rolling.take(now, { ...this.total }, inFlight);
    const rest = { latency, settings: shown?.settings, window, sleepMs: sleepOf(shown) };
    return { name: this.name, group, states, inFlight, mostInFlight, rolling: grown, ...rest };
  }
}

/** One breaker, whose settings stand for those of all. */
function firstOf(registry: Registry): CircuitBreaker | undefined {
  for (const [, breaker] of registry) return breaker;
  return undefined;
}

/** For a back-off, what it last said, or its upper bound. */
function sleepOf(breaker: CircuitBreaker | undefined): number {
  if (breaker === undefined) return 0;
  const { sleepWindowMs, maxSleepWindowMs } = breaker.settings;
  return typeof sleepWindowMs === 'number' ? sleepWindowMs : (breaker.toJSON().sleepMs ?? maxSleepWindowMs);
}

/** The commands, by name. Breakers of one name are one command, as they are in any metrics. */
export class Roster {
  readonly #commands = new Map<string, Command>();
  /** Their names must not pile up. */
  readonly #living = new Living<Watched, Source, Command>((command) => {
    if (this.#commands.get(command.name) === command) this.forget(command.name);
  });

  get all(): Command[] {
    return [...this.#commands.values()];
  }

  find(name: string): Command | undefined {
    return this.#commands.get(name);
  }

  /** Answers with the commands it is of, unless it is known. */
  add(policy: Watched): Command[] {
    if (policy.ending === 'disposed' || this.#living.knows(policy)) return [];
    const parent = isRegistry(policy) ? policy.parent : undefined;
    return [this.#place(policy.name, policy), ...(parent ? [this.#place(`${policy.name}/parent`, parent)] : [])];
  }

  #place(name: string, policy: Watched): Command {
    const command = this.#commands.get(name) ?? new Command(name);
    this.#commands.set(name, command);
    this.#living.add(policy, command, { ref: new WeakRef(policy), taken: totalsOf(policy.metrics()) });
    return command;
  }

  remove(policy: Watched): void {
    const place = this.#living.remove(policy);
    place?.group.takeUp(place.held, policy);
    if (isRegistry(policy) && policy.parent) this.remove(policy.parent);
  }

  forget(name: string): void {
    this.#commands.delete(name);
  }
}
