// Knows where opossum and we differ on purpose, and says so in the trace when a life comes to such a point: from there on the two
// lives are not compared. Each point is a row of docs/migrating/from-opossum.md, by its words there.
import type { Command, Drawn, Outcome } from './scenario.ts';
import type { Subject } from './subject.ts';

interface Call {
  readonly id: number;
  readonly shareKey: string;
  readonly epoch: number;
  readonly isProbe: boolean;
  readonly outcome: Outcome;
  /** The value, if it carries no number: of such calls that have not ended the one that is due first is meant. */
  readonly plain: unknown;
  readonly startedAt: number;
  readonly dueAt: number;
  ended: boolean;
}

/** By key; no two the same. */
export const plainValues = {
  falsy: [0, '', false],
  rejectNoError: [undefined, 'text', Number.NaN],
  resolve: [true],
  resolveLater: [null],
};

const plainOf = (outcome: Outcome, key: number): unknown =>
  outcome in plainValues && key in plainValues[outcome as 'falsy'] ? plainValues[outcome as 'falsy'][key] : plainValues;

/** By words of its row in the guide. */
export const rows = [
  'a success of before the circuit opened',
  'a failure of then opens it again',
  'a probe that never settles',
  'so does a probe that fails during `allowWarmUp`',
  '`state.lastTimerAt` is when the breaker was made',
  "an old process's open circuit",
  'count as calls that did not fail',
  'a call beyond `capacity` is a failure',
  'an action that answers `undefined` or `null` fails',
  'a thenable',
  'an `errorFilter` that throws',
  '`fire` throws when disabled',
  'when the arguments are no JSON',
  '`coalesce` without a `timeout`',
  'a synchronous throw in spite of `coalesceResetOn`',
  'one that outlived its entry',
  'a health check goes on after `shutdown`',
  '`open()` and `close()` revive it',
] as const;
export type Row = (typeof rows)[number];

export class Differs {
  readonly row: Row;
  constructor(row: Row) {
    this.row = row;
  }
}

export class Witness {
  readonly #isTheirs: boolean;
  readonly #trace: unknown[];
  readonly #given: Drawn;
  #options: Drawn;
  #subject!: Subject;
  readonly #calls = new Map<number, Call>();
  readonly #shared = new Map<string, Call>();
  /** The keys whose entry opossum keeps, although its call threw. */
  readonly #kept = new Set<string>();
  /** Of calls that were filtered after a timeout the success says no more. */
  #timedOut: number | undefined;
  #epoch = 0;
  #closedJustNow = false;
  /** Health checks that were asked for. */
  checks = 0;
  #shutWithChecks = false;
  #isShut = false;
  /** Fires of a disabled breaker, by the slice they are counted in. */
  readonly #letBy = new WeakMap<object, number>();
  #lastLook = 0;
  #lastKey = '';

  constructor(trace: unknown[], options: Drawn, isTheirs: boolean) {
    this.#isTheirs = isTheirs;
    this.#trace = trace;
    this.#given = options;
    this.#options = options;
  }

  differs(row: Row): void {
    this.#trace.push(new Differs(row));
  }

  /** What differs was seen too late: since the last look. */
  differed(row: Row): void {
    this.#trace.splice(this.#lastLook, 0, new Differs(row));
  }

  /** A breaker begins. */
  sees(subject: Subject, more: object): void {
    this.#subject = subject;
    this.#isShut = false;
    this.#options = { ...this.#given, ...more };
    this.#calls.clear();
    this.#shared.clear();
    this.#kept.clear();
    this.#epoch++;
    this.checks = 0;
  }

  made(more: { state?: { lastTimerAt?: number; closed?: boolean; shutdown?: boolean } }): void {
    const { state } = more;
    if (state === undefined || state.closed !== false || state.shutdown || state.lastTimerAt === undefined) return;
    const passed = Date.now() - state.lastTimerAt;
    if (passed > 0 && passed <= this.#sleepMs) this.differs("an old process's open circuit");
  }

  get #sleepMs(): number {
    return this.#options.resetTimeout ?? 30_000;
  }

  get #hasTimeout(): boolean {
    return (this.#options.timeout ?? 10_000) !== false && this.#options.timeout !== 0;
  }

  /** Without percentiles opossum keeps the latencies all the same. */
  window(): unknown[] {
    const isKept = this.#options.rollingPercentilesEnabled !== false;
    const { window } = this.#subject.status;
    return window.map((bucket) => ({ ...bucket, latencyTimes: isKept ? [...bucket.latencyTimes] : [] }));
  }

  commanded({ do: command, ...more }: Command): void {
    const { closed, isShutdown } = this.#subject;
    if ('state' in more && more.state && !closed && !isShutdown)
      this.differs('`state.lastTimerAt` is when the breaker was made');
    if ((command === 'open' || command === 'close') && this.#subject.isShutdown) {
      this.differs('`open()` and `close()` revive it');
    }
    if (command === 'healthCheck') {
      this.checks++;
      if (this.#subject.isShutdown) this.differs('a health check goes on after `shutdown`');
    }
    if (command === 'shutdown') this.#isShut = true;
    if ((command === 'shutdown' || command === 'restart') && this.checks > 0) this.#shutWithChecks = true;
    this.looks();
  }

  did(_command: Command): void {
    this.#closedJustNow = false;
    if (this.#shutWithChecks) this.differs('a health check goes on after `shutdown`');
    this.#shutWithChecks = false;
  }

  looks(): void {
    if ([...this.#calls.values()].some((call) => this.#isStuck(call))) this.differed('a probe that never settles');
  }

  #isStuck({ isProbe, ended, epoch, startedAt }: Call): boolean {
    if (this.#hasTimeout || !this.#subject.halfOpen) return false;
    return isProbe && !ended && epoch === this.#epoch && Date.now() - startedAt >= this.#sleepMs;
  }

  looked(): void {
    this.#lastLook = this.#trace.length;
  }

  acts(id: number, key: number, outcome: Outcome, ms: number): void {
    if (outcome === 'undefined' || outcome === 'null')
      this.differs('an action that answers `undefined` or `null` fails');
    const { enabled, halfOpen } = this.#subject;
    const isHandedOut = outcome === 'thenable' && (!enabled || this.#options.cache);
    if (outcome === 'bareThenable' || isHandedOut) this.differs('a thenable');
    if (!enabled) {
      if (/^throw/.test(outcome)) this.differs('`fire` throws when disabled');
      return;
    }
    const shareKey = this.#key(key, outcome);
    const call = {
      id,
      shareKey,
      epoch: this.#epoch,
      isProbe: halfOpen,
      outcome,
      plain: plainOf(outcome, key),
      startedAt: Date.now(),
      dueAt: Date.now() + (outcome === 'resolveLater' ? ms : 0),
      ended: false,
    };
    this.#calls.set(id, call);
    const { coalesce, coalesceSize, coalesceResetOn = [] } = this.#options;
    if (!coalesce) return;
    this.#shared.set(shareKey, call);
    if (!/^throw/.test(outcome) || !/error|success/.test(`${coalesceResetOn}`)) return;
    this.#kept.add(shareKey);
    // Its entry, which stays, takes the place of another.
    if (coalesceSize !== undefined) this.differs('a synchronous throw in spite of `coalesceResetOn`');
  }

  /** Of one that threw the entry is made only now, after those of calls that listeners made meanwhile. */
  fired(id: number): void {
    const call = this.#calls.get(id);
    if (call && this.#options.coalesce && /^throw/.test(call.outcome)) this.#shared.set(call.shareKey, call);
  }

  #key(key: number, outcome: Outcome): string {
    const { cacheGetKey } = this.#options;
    return cacheGetKey === 'constant' ? '' : cacheGetKey === 'key' ? `${key}` : `${outcome} ${key}`;
  }

  /** Before the listeners that react. */
  hears(event: string, args: unknown[]): void {
    if (event === 'fire') {
      const [outcome, key] = args[0] as [Outcome, number];
      this.#lastKey = this.#key(key, outcome);
      const { enabled, status } = this.#subject;
      const [bucket] = status.window;
      if (!enabled && bucket) this.#letBy.set(bucket, (this.#letBy.get(bucket) ?? 0) + 1);
    }
    if (event === 'open' || event === 'close') this.#epoch++;
    if (event === 'open' && this.#isShut) this.differs('`open()` and `close()` revive it');
    if (event === 'close') this.#closedJustNow = true;
    if (event === 'timeout') this.#hearsTimeout(args);
    if (event === 'success' || event === 'failure') this.#ended(event, args);
  }

  #hearsTimeout(args: unknown[]): void {
    this.#timedOut = this.#idOf('failure', args);
    const call = this.#calls.get(this.#timedOut ?? -1);
    if (call) call.ended = true;
    // opossum counts the latency of a call that timed out twice: one of them is taken away.
    const times = this.#subject.status.window[0]?.latencyTimes;
    if (this.#isTheirs && !this.#subject.isShutdown && times?.at(-1) === args[1]) times?.pop();
  }

  #idOf(event: 'success' | 'failure', args: unknown[]): number | undefined {
    if (event === 'failure') return ((args[2] as unknown[])[3] as { id: number }).id;
    const [value] = args as [{ id?: number; code?: string } | undefined | null];
    if (value?.code === 'ETIMEDOUT') return this.#timedOut;
    if (value?.id !== undefined) return value.id;
    const alike = [...this.#calls.values()].filter(({ ended, plain }) => !ended && Object.is(plain, value));
    return alike.sort((a, b) => a.dueAt - b.dueAt)[0]?.id;
  }

  #ended(event: 'success' | 'failure', args: unknown[]): void {
    const call = this.#calls.get(this.#idOf(event, args) ?? -1);
    if (call === undefined) return;
    // Where it ends between two looks, a listener may call while it still holds its turn there.
    if (this.#isStuck(call)) this.differed('a probe that never settles');
    call.ended = true;
    const { timeout, coalesce, coalesceTTL, coalesceSize, coalesceResetOn } = this.#options;
    // Its entry, which stays, may take the place of another.
    if (coalesce && timeout === false && coalesceTTL === undefined && coalesceSize !== undefined)
      this.differs('`coalesce` without a `timeout`');
    const isShared = coalesce && coalesceResetOn?.length;
    if (isShared && this.#shared.get(call.shareKey) !== call) this.differs('one that outlived its entry');
    if (event !== 'success') return;
    // The circuit has closed already when success is told.
    const epoch = this.#closedJustNow ? this.#epoch - 1 : this.#epoch;
    this.#closedJustNow = false;
    const isProbe = call.isProbe && call.epoch === epoch;
    if (!isProbe && call.epoch !== epoch) this.differed('a success of before the circuit opened');
  }

  /** After the listeners that react, and before the circuit does. */
  judges(event: string, args: unknown[]): void {
    if (event === 'semaphoreLocked') this.differs('a call beyond `capacity` is a failure');
    if (event === 'coalesceCacheHit') this.#judgesShared();
    if (event === 'failure') this.#judgesFailure(this.#calls.get(this.#idOf('failure', args) ?? -1));
  }

  #callsOf(window: Subject['status']['window']): number {
    const figure = (bucket: object, name: string): number => (bucket as Record<string, number>)[name] ?? 0;
    return window.reduce((calls, bucket) => {
      const others = ['rejects', 'cacheHits', 'coalesceCacheHits'].map((name) => figure(bucket, name));
      return others.reduce(
        (left, other) => left - other,
        calls + figure(bucket, 'fires') - (this.#letBy.get(bucket) ?? 0),
      );
    }, 0);
  }

  #judgesShared(): void {
    const call = this.#shared.get(this.#lastKey);
    const { timeout, coalesceTTL } = this.#options;
    // Also where a call that a listener made meanwhile would have been shared.
    if (this.#kept.has(this.#lastKey)) this.differed('a synchronous throw in spite of `coalesceResetOn`');
    if (call?.ended !== false && timeout === false && coalesceTTL === undefined)
      this.differed('`coalesce` without a `timeout`');
  }

  #judgesFailure(call: Call | undefined): void {
    const subject = this.#subject;
    if (call === undefined) return;
    const isLate = call.epoch !== this.#epoch;
    if (subject.halfOpen) {
      if (isLate || !call.isProbe) this.differs('a failure of then opens it again');
      else if (subject.warmUp) this.differs('so does a probe that fails during `allowWarmUp`');
    } else if (subject.closed || subject.isShutdown) {
      const { fires, failures, successes } = subject.stats;
      const calls = Math.max(this.#callsOf(subject.status.window), failures + successes);
      const { errorThresholdPercentage = 50 } = this.#options;
      const isFree = !subject.warmUp && fires >= subject.volumeThreshold;
      const opens = (of: number): boolean => isFree && (failures / of) * 100 > errorThresholdPercentage;
      if (isLate && opens(fires)) this.differs('a failure of then opens it again');
      else if (opens(fires) !== opens(calls)) this.differs('count as calls that did not fail');
    }
  }
}
