import type { Action, BreakerMetrics, CircuitBreaker, CircuitState, Transition, Updated } from 'recloser';
import { Series } from '../history/series-store.ts';
import type { Entry } from '../protocol/entry.ts';
import { patchOf, type Row, type RowPatch } from '../protocol/row.ts';
import type { Ears, Hearer } from './ears.ts';
import { ErrorLog } from './error-log.ts';
import { noRates, type Rates, ratesOf, rowOf, type Since, type Totals, totalsOf } from './reading.ts';
import { redact } from './redact.ts';

/** What a watch tells and asks of its feed. */
export interface Watcher {
  /** Epoch ms of this moment. */
  at(): number;
  happened(watch: Watched, entry: Entry): void;
  readonly ears: Ears;
  readonly traceId?: (() => string | undefined) | undefined;
}

/** What has a row. */
export interface Watched {
  readonly id: string;
  readonly row: Row;
  readonly series: Series;
  sample(): RowPatch | undefined;
  refresh(): RowPatch | undefined;
  stop(): void;
}

/** A transition as the journal has it. */
export function transitionEntry(
  { from, to, why, evidence, retryAfterMs }: Transition,
  redactor: (message: string) => string = redact,
  traceId: string | undefined = undefined,
): Omit<Entry, 'at' | 'id'> {
  const { lastError } = evidence;
  const shown = lastError && { ...evidence, lastError: { ...lastError, message: redactor(lastError.message) } };
  return {
    kind: 'transition',
    from,
    to,
    why,
    evidence: shown ?? evidence,
    sleepMs: retryAfterMs,
    ...(traceId && { traceId }),
  };
}

const cut = (text: string | undefined, length: number): string | undefined => text?.slice(0, length);

/** What somebody did, as the journal has it. */
export function actionEntry({ action, previous, state, reason, by, expiresInMs }: Action): Omit<Entry, 'at' | 'id'> {
  const who = { reason: cut(reason, 300), by: cut(by, 60), expiresInMs };
  return { kind: 'action', from: previous, to: state, action, ...who };
}

/** A breaker remembers so many calls that went badly: a count of all of them is not a count of all failures. */
const remembered = 32;

/** Where there is room for half a sentence the error comes first: what it was measured by is no use without it. */
function causeOf({ why = '', evidence }: Pick<Entry, 'why' | 'evidence'>): string {
  const [top, ...others] = evidence?.topErrors ?? [];
  if (top === undefined) return why.slice(0, 300);
  const sum = others.reduce((n, { count }) => n + count, top.count);
  const measured = why.replace(/ \([^()]* ×\d[^()]*\)$/, '');
  const often = 2 * top.count > sum ? 'mostly' : 'most often';
  return `${sum < remembered ? `${top.name} ×${top.count}` : `${often} ${top.name}`}: ${measured}`.slice(0, 300);
}

/** One breaker under watch: its row, its series, its last errors. It reads and listens, and changes nothing. */
export class Watch implements Watched, Hearer {
  readonly id: string;
  readonly breaker: CircuitBreaker;
  /** The id of the registry that this is a key of. */
  readonly of: string | undefined;
  readonly series: Series = new Series();
  readonly errors: ErrorLog;
  /** When `update` last changed an option, epoch ms. */
  readonly updatedAt: Map<string, number> = new Map();
  row: Row;
  #before: Totals;
  #rates: Rates = noRates;
  #since: Since;
  readonly #watcher: Watcher;
  readonly #redact: (message: string) => string;
  /** Hears no more. */
  readonly stop: () => void;

  constructor(
    id: string,
    breaker: CircuitBreaker,
    watcher: Watcher,
    redactor: (message: string) => string = redact,
    of?: string,
    opened?: Entry,
  ) {
    this.id = id;
    this.of = of;
    this.breaker = breaker;
    this.#watcher = watcher;
    this.#redact = redactor;
    this.errors = new ErrorLog(redactor);
    const metrics = breaker.metrics();
    const at = watcher.at();
    const known = metrics.state === 'closed' ? undefined : breaker.toJSON();
    const { openForMs, halfOpenForMs = openForMs, downForMs, attempt = 1 } = known ?? {};
    const ago = (ms: number | undefined): number | undefined => (ms === undefined ? undefined : Math.round(at - ms));
    this.#since = {
      since: metrics.computedState === metrics.state ? ago(halfOpenForMs) : undefined,
      downSince: ago(downForMs),
      // What it opened with is gone when a probe has failed since, unless the journal has it.
      cause: opened && causeOf(opened),
      failedProbes: openForMs === undefined ? 0 : Math.max(0, attempt - 1),
    };
    this.#before = totalsOf(metrics, at);
    this.row = this.#rowOf(metrics);
    const hearsNothing = watcher.ears.listen(breaker, this);
    const hearsNoFailure = breaker.on('failed', ({ error }) => this.errors.add(error, watcher));
    this.stop = () => {
      hearsNothing();
      hearsNoFailure();
    };
  }

  /** Reads the figures of the second that is over. */
  sample(): RowPatch | undefined {
    const metrics = this.breaker.metrics();
    const totals = totalsOf(metrics, this.#watcher.at());
    this.#rates = ratesOf(this.#before, totals);
    this.#before = totals;
    this.errors.renew();
    return this.#read(metrics);
  }

  /** Reads the state at once; rates stay those of the last whole second. */
  refresh(): RowPatch | undefined {
    return this.#read(this.breaker.metrics());
  }

  metrics(): BreakerMetrics {
    return this.breaker.metrics();
  }

  explain(): string {
    return this.breaker.explain();
  }

  #rowOf(metrics: BreakerMetrics): Row {
    const row = rowOf(this.id, this.breaker, metrics, this.#rates, this.#since);
    return this.of === undefined ? row : { ...row, of: this.of };
  }

  #read(metrics: BreakerMetrics): RowPatch | undefined {
    // The end of a forced state is told by the next call only, but shown at once.
    if (metrics.state !== this.row.state) this.#since = { ...this.#since, since: Math.round(this.#watcher.at()) };
    const before = this.row;
    this.row = this.#rowOf(metrics);
    return patchOf(before, this.row);
  }

  moved(transition: Transition): void {
    const { from, to } = transition;
    const down = to !== 'closed';
    if (from === 'closed' || !down) {
      const at = Math.round(this.#watcher.at());
      const cause = down ? causeOf(transition) : undefined;
      this.#since = { ...this.#since, downSince: down ? at : undefined, cause, failedProbes: 0 };
    } else if (to === 'open') this.#since = { ...this.#since, failedProbes: this.#since.failedProbes + 1 };
    this.#tell(transitionEntry(transition, this.#redact, this.#watcher.traceId?.()));
  }

  acted(action: Action): void {
    this.#tell(actionEntry(action));
  }

  updated({ changed }: Updated): void {
    for (const option of changed) this.updatedAt.set(option, this.#watcher.at());
    const { state } = this.breaker;
    this.#tell({ kind: 'update', from: state, to: state, changed });
  }

  #tell(happened: Omit<Entry, 'at' | 'id'> & { readonly to: CircuitState }): void {
    const at = Math.round(this.#watcher.at());
    this.#watcher.happened(this, { at, id: this.id, ...happened });
  }
}
