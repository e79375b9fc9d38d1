import type { CircuitBreaker } from '../../breaker/breaker.ts';
import type { CircuitState } from '../../breaker/events.ts';
import type { BreakerMetrics, CallFigures } from '../../breaker/metrics.ts';
import type { Registry } from '../../registry/registry.ts';
import type { LatencySummary } from '../../windows/latency.ts';
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

/** Held weakly: to be watched must not keep anybody alive. */
interface Source {
  readonly policy: WeakRef<Watched>;
  /** What has been taken up of its figures. */
  taken: Totals;
}

/** All that goes by one name: mostly one breaker, or one registry. */
export class Command {
  readonly name: string;
  /** All calls since it is known, also of sources that are gone. */
  readonly total: Totals = { ...none };
  sources: Source[] = [];
  #rolling: Rolling | undefined;

  constructor(name: string) {
    this.name = name;
  }

  add(policy: Watched): void {
    this.sources.push({ policy: new WeakRef(policy), taken: totalsOf(policy.metrics()) });
  }

  /** Nobody looks: what comes meanwhile is of no window. */
  rest(): void {
    this.#rolling = undefined;
  }

  /** The figures of now; `undefined` when all it was of is gone. */
  read(now: number, group: string): Figures | undefined {
    const states: { [S in CircuitState]?: number } = {};
    let inFlight = 0;
    let latency: LatencySummary | undefined;
    let shown: CircuitBreaker | undefined;
    let window: BreakerMetrics['window'] | undefined;
    this.sources = this.sources.filter((source) => {
      const policy = source.policy.deref();
      if (policy === undefined) return false;
      const metrics = policy.metrics();
      const totals = totalsOf(metrics);
      addGrowth(this.total, source.taken, totals);
      source.taken = totals;
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
      return true;
    });
    if (this.sources.length === 0) return undefined;
    this.#rolling ??= new Rolling();
    const { grown, mostInFlight } = this.#rolling.take(now, { ...this.total }, inFlight);
    const rest = { latency, settings: shown?.settings, window, sleepMs: sleepOf(shown) };
    return { name: this.name, group, states, inFlight, mostInFlight, rolling: grown, ...rest };
  }
}

/** What one of them is set to, in place of all. */
function firstOf(registry: Registry): CircuitBreaker | undefined {
  for (const [, breaker] of registry) return breaker;
  return undefined;
}

/** Of a back-off what it last said, or its bound. */
function sleepOf(breaker: CircuitBreaker | undefined): number {
  if (breaker === undefined) return 0;
  const { sleepWindowMs, maxSleepWindowMs } = breaker.settings;
  return typeof sleepWindowMs === 'number' ? sleepWindowMs : (breaker.toJSON().sleepMs ?? maxSleepWindowMs);
}

/** The commands, by name. Breakers of one name are one command, as they are in any metrics. */
export class Roster {
  readonly #commands = new Map<string, Command>();
  readonly #known = new WeakSet<object>();
  /** Breakers that are gone without a word: their names must not pile up. */
  readonly #gone = new FinalizationRegistry<Command>((command) => this.#leave(command));

  get all(): Command[] {
    return [...this.#commands.values()];
  }

  find(name: string): Command | undefined {
    return this.#commands.get(name);
  }

  /** Answers with the commands it is of, unless it is known. */
  add(policy: Watched): Command[] {
    if (this.#known.has(policy)) return [];
    this.#known.add(policy);
    const parent = isRegistry(policy) ? policy.parent : undefined;
    return [this.#place(policy.name, policy), ...(parent ? [this.#place(`${policy.name}/parent`, parent)] : [])];
  }

  #place(name: string, policy: Watched): Command {
    let command = this.#commands.get(name);
    if (command === undefined) {
      this.#commands.set(name, (command = new Command(name)));
    }
    command.add(policy);
    this.#gone.register(policy, command);
    return command;
  }

  remove(policy: Watched): void {
    const parent = isRegistry(policy) ? policy.parent : undefined;
    for (const name of [policy.name, `${policy.name}/parent`]) {
      const command = this.#commands.get(name);
      if (command !== undefined) this.#leave(command, policy, parent);
    }
  }

  /** Takes out of a command who is gone, and the command where nobody is left. */
  #leave(command: Command, ...gone: unknown[]): void {
    command.sources = command.sources.filter(({ policy }) => ![undefined, ...gone].includes(policy.deref()));
    if (command.sources.length === 0 && this.#commands.get(command.name) === command) this.forget(command.name);
  }

  forget(name: string): void {
    this.#commands.delete(name);
  }
}
