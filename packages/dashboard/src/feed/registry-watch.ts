import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import type { Action, BreakerMetrics, CircuitBreaker, Registry, RegistryMetrics, Transition } from 'recloser';
import { Series } from '../history/series-store.ts';
import type { KeyFigures } from '../protocol/detail.ts';
import type { Entry } from '../protocol/entry.ts';
import { patchOf, type Row, type RowPatch } from '../protocol/row.ts';
import { severityOf } from '../protocol/severity.ts';
import { ErrorLog } from './error-log.ts';
import { endOf, noRates, type Rates, ratesOf, refusedOf, type Totals, totalsOf } from './reading.ts';
import { actionEntry, transitionEntry, Watch, type Watcher } from './watch.ts';

/** Of more keys than this that are not closed, only so many are compared: a second must not be spent on ranking an outage. */
const mostCompared = 1_000;
/** A key that somebody has looked at is read for so long. */
const lookedAtMs = 60_000;
const mostLookedAt = 20;

const heard = ['opened', 'half-opened', 'closed', 'forced', 'released'].map(
  (event) => `recloser:circuit-breaker:${event}`,
);

export interface RegistryWatcher extends Watcher {
  /** A key did something whose row nobody draws yet. */
  stirred(watch: RegistryWatch, entry: Entry): void;
  readonly redact: ((message: string) => string) | undefined;
  report(fault: unknown): void;
}

/**
 * All breakers of a registry as one row, whatever their number: its calls, how many keys are in which state, and what the breaker
 * over all of them says if there is one. It reads them once a second, and hears of what is rare on the channels of all breakers: a
 * listener for each of ten thousand keys would take 1.6 kB each and make their calls slower.
 */
export class RegistryWatch {
  readonly id: string;
  readonly registry: Registry;
  readonly series: Series = new Series();
  readonly errors: ErrorLog;
  row: Row;
  readonly #watcher: RegistryWatcher;
  readonly #parent: Watch | undefined;
  readonly #lookedAt = new Map<string, number>();
  #downSince: number | undefined;
  #before: Totals;
  #rates: Rates = noRates;

  constructor(id: string, registry: Registry, watcher: RegistryWatcher) {
    this.id = id;
    this.registry = registry;
    this.#watcher = watcher;
    const { redact } = watcher;
    const { ears } = watcher;
    const tell = {
      ears,
      traceId: watcher.traceId,
      at: () => watcher.at(),
      happened: (_: unknown, entry: Entry) => watcher.happened(this, entry),
    };
    this.#parent = registry.parent && new Watch(id, registry.parent, tell, redact);
    this.errors = this.#parent?.errors ?? new ErrorLog(String);
    const metrics = registry.metrics();
    this.#before = totalsOf(metrics, watcher.at());
    this.row = this.#rowOf(metrics);
    for (const channel of heard) subscribe(channel, this.#heard);
  }

  /** The breaker over all keys: what can be done to all of them at once is done to it. */
  get breaker(): CircuitBreaker | undefined {
    return this.registry.parent;
  }

  get updatedAt(): ReadonlyMap<string, number> {
    return this.#parent?.updatedAt ?? new Map();
  }

  idOf(key: string): string {
    return `${this.id}/${key}`.slice(0, 300);
  }

  /** The breaker of a key, by the id of its row. None is made, and none counts as used. */
  memberOf(id: string): CircuitBreaker | undefined {
    return id.startsWith(`${this.id}/`) ? this.registry.peek(id.slice(this.id.length + 1)) : undefined;
  }

  /** Somebody looks at a key: it is read for a while as those in trouble are. */
  lookedAt(key: string): void {
    this.#lookedAt.delete(key);
    this.#lookedAt.set(key, this.#watcher.at());
    if (this.#lookedAt.size > mostLookedAt) this.#lookedAt.delete(this.#lookedAt.keys().next().value as string);
  }

  /** The keys that get rows of their own: in trouble those that refused most; closed ones only if there is room for all. */
  chosen(most: number): CircuitBreaker[] {
    const now = this.#watcher.at();
    for (const [key, at] of this.#lookedAt) if (now - at > lookedAtMs) this.#lookedAt.delete(key);
    const looked = [...this.#lookedAt.keys()]
      .map((key) => this.registry.peek(key))
      .filter((each) => each !== undefined);
    if (this.registry.size <= most) return Array.from(this.registry, ([, breaker]) => breaker);
    const troubled: CircuitBreaker[] = [];
    if (most > 0) {
      for (const [, breaker] of this.registry) {
        if (breaker.state === 'closed') continue;
        troubled.push(breaker);
        if (troubled.length >= Math.max(most, mostCompared)) break;
      }
    }
    if (troubled.length > most) {
      const weights = new Map(troubled.map((each) => [each, each.metrics().rejectedRequests]));
      troubled.sort((a, b) => (weights.get(b) ?? 0) - (weights.get(a) ?? 0));
    }
    return [...new Set([...troubled.slice(0, most), ...looked])];
  }

  sample(): RowPatch | undefined {
    const metrics = this.registry.metrics();
    const totals = totalsOf(metrics, this.#watcher.at());
    this.#rates = ratesOf(this.#before, totals);
    this.#before = totals;
    this.#parent?.sample();
    return this.#read(metrics);
  }

  refresh(): RowPatch | undefined {
    this.#parent?.refresh();
    return this.#read(this.registry.metrics());
  }

  metrics(): BreakerMetrics {
    const metrics = this.registry.metrics();
    const { value, threshold, calls, state, rule } = this.row;
    const alone = { generation: 0, circuitOpenTimeMs: 0, computedState: 'closed' as const };
    const over = metrics.parent ?? { ...alone, window: { rule, value, threshold, calls } };
    const rejectedRequests = refusedOf(metrics);
    // What the parent refused its key has ignored.
    const ignoredRequests = Math.max(0, metrics.ignoredRequests + metrics.rejectedRequests - rejectedRequests);
    return { ...over, ...figuresOf(metrics), rejectedRequests, ignoredRequests, name: metrics.name, state };
  }

  explain(): string {
    return this.registry.explain();
  }

  keys(): KeyFigures {
    const { size, maxEntries, evicted, overflowed, states } = this.registry.metrics();
    return { size, maxEntries, evicted, overflowed, states: { ...states }, parent: this.#parent !== undefined };
  }

  stop(): void {
    for (const channel of heard) unsubscribe(channel, this.#heard);
    this.#parent?.stop();
  }

  /** A breaker of this process changed its state, one of ours or not. What is thrown here would end the process. */
  readonly #heard = (message: unknown): void => {
    try {
      const { policy, payload } = message as { policy: unknown; payload: Transition | Action };
      const { breaker } = payload;
      if (this.registry.peek(breaker) !== policy) return;
      const entry =
        'action' in payload
          ? actionEntry(payload)
          : transitionEntry(payload, this.#watcher.redact, this.#watcher.traceId?.());
      this.#watcher.stirred(this, { at: Math.round(this.#watcher.at()), id: this.idOf(breaker), ...entry });
    } catch (fault) {
      this.#watcher.report(fault);
    }
  };

  #read(metrics: RegistryMetrics): RowPatch | undefined {
    const before = this.row;
    this.row = this.#rowOf(metrics);
    return patchOf(before, this.row);
  }

  #rowOf({ size, states, inFlight }: RegistryMetrics): Row {
    const { closed = 0, open = 0, 'half-open': halfOpen = 0 } = states;
    const keys = { size, open, halfOpen, forced: size - closed - open - halfOpen };
    const down = size - closed;
    const over = this.#parent?.row;
    const parent = over?.state;
    const refuses = parent === 'open' || parent === 'forced-open' || parent === 'half-open';
    const all = Object.keys(states) as Row['state'][];
    if (parent !== undefined) all.unshift(parent);
    const worst = all.sort((a, b) => severityOf(b) - severityOf(a))[0] ?? 'closed';
    const state = refuses ? parent : worst;
    this.#downSince = state === 'closed' ? undefined : (this.#downSince ?? Math.round(this.#watcher.at()));
    const end = endOf(this.registry);
    const downSince = (state === parent ? over?.downSince : undefined) ?? this.#downSince;
    const share = size === 0 ? 0 : Number((down / size).toPrecision(3));
    return {
      ...(over ?? { rule: 'openKeyRate', value: share, threshold: 1, calls: size }),
      ...(state === parent ? {} : notOfKeys),
      ...this.#rates,
      ...{ id: this.id, state, inFlight, keys, parent, since: undefined },
      ...(state === 'closed' ? {} : { downSince, explain: this.explain() }),
      ...(end && { ...end, explain: this.explain() }),
    };
  }
}

/** What explains the parent's state, and not that of a key. */
const notOfKeys = {
  ...{ under: undefined, forced: undefined, cause: undefined },
  ...{ failedProbes: undefined, nextProbeMs: undefined, probes: undefined },
};

/** Of its metrics those that are of calls. */
function figuresOf({
  size: _,
  maxEntries,
  evicted,
  overflowed,
  states,
  troubled,
  parent,
  ...figures
}: RegistryMetrics) {
  return figures;
}
