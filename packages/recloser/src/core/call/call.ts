import { inContext, type OwnContext, rememberContext } from '../time/async-context.ts';
import type { Clock } from '../time/clock.ts';
import { type Deadline, type Deadlines, deadlines } from '../time/timers.ts';
import { type CallContext, promised, type Work } from './context.ts';
import { proceed, type Scope, ShownContext, type Stage, type Watcher } from './scope.ts';
import type { TimeLimit } from './time-limit.ts';

/** How a call ended: its work settled, or something was faster. */
export type CallEnd = 'settled' | 'timed-out' | 'aborted';

/** Hears how calls end. */
export interface Judge<Ticket> {
  /** One call ended; what it returns, if anything, goes to the caller in place of the error. */
  conclude(call: Call<Ticket>, ok: boolean, result: unknown, end: CallEnd): Promise<unknown> | undefined;
  /** The work settled after its call had timed out. */
  late(call: Call<Ticket>, ok: boolean): void;
  /** The work outlived its call by so much that its place was given back. */
  abandoned(call: Call<Ticket>): void;
}

/** The places calls take while they work. */
export interface Hold {
  /** Takes a place, if there is one. */
  take(): boolean;
  release(): void;
  /** Whether a call that ended early gives its place back at once, or when its work ends. */
  readonly releaseOnTimeout: boolean;
  /** How long after its end it may hold the place. */
  readonly abandonAfterMs: number;
  readonly clock: Clock;
  /** A place was given back because of that. */
  abandoned?(): void;
}

/** Places of a policy of their own, which refuses calls itself. */
export interface RefusingHold extends Hold {
  /** The refusal of a call that found no place. */
  refuse(scope: Scope): Error;
}

/** What a call runs under. The same for many calls, and never changed: a call ends as it began. */
export interface Rig<Ticket> {
  readonly judge?: Judge<Ticket> | undefined;
  readonly limit?: TimeLimit | undefined;
  readonly hold?: Hold | RefusingHold | undefined;
  /** Its calls begin while the judge has no places to give. */
  readonly unplaced?: boolean;
  readonly fallback?: unknown;
}

/** Of a call that only an abort from outside ends early. */
export const bare: Rig<undefined> = {};

type Settle = (value: unknown) => void;
/**
 * One call that something may end early, its time limit or whatever is around it. It is the deadline in the queue, the listener on
 * the caller's signal and the scope of what runs inside it in one object.
 *
 * It implements a deadline, but does not extend it: making an object of a derived class takes a third of a bare call longer. Its members are
 * private by type, not by `#`, which takes twice the bytecode: V8 inlines by bytecode, and every call passes here. (Measured: a `timeout`
 * 7 to 10 % less on Node 20.)
 */
export class Call<Ticket = undefined> implements Deadline, Scope, Watcher {
  queue: Deadlines | undefined = undefined;
  dueAt: number | undefined = undefined;
  before: Deadline | undefined = undefined;
  after: Deadline | undefined = undefined;
  readonly rig: Rig<Ticket>;
  readonly scope: Scope;
  readonly ticket: Ticket;
  readonly startedAt: number | undefined;
  /** Its late result was reported already, or is not to be. */
  quiet = false;
  private resolve: Settle | undefined = undefined;
  private reject: Settle | undefined = undefined;
  private holdsPlace: boolean;
  private end: 'none' | CallEnd = 'none';
  private abortReason: unknown = undefined;
  private controller: AbortController | undefined = undefined;
  private ownContext: OwnContext | undefined = undefined;
  /** It runs the protected function itself, as most do; a call that does not clears it. (Measured, against the reverse: 1 to 2 % of a guarded call.) */
  private isLeaf = true;
  /** How much work goes on although its call has ended: its own, and that of calls inside. */
  private leftBehind = 0;
  /** Who runs inside: mostly one at most. */
  private inner: Watcher | Set<Watcher> | undefined = undefined;

  constructor(rig: Rig<Ticket>, scope: Scope, ticket: Ticket, holdsPlace: boolean, startedAt?: number) {
    this.rig = rig;
    this.scope = scope;
    this.ticket = ticket;
    this.holdsPlace = holdsPlace;
    this.startedAt = startedAt;
  }

  get key(): string | undefined {
    return this.scope.key;
  }

  get context(): unknown {
    return this.scope.context;
  }

  get attempt(): number {
    return this.scope.attempt;
  }

  get fallback(): unknown {
    return this.rig.fallback;
  }

  get timeLeftMs(): number {
    return Math.min(this.scope.timeLeftMs, this.end === 'none' ? (this.rig.limit?.leftMs(this.dueAt) ?? Infinity) : 0);
  }

  get signal(): AbortSignal {
    if (this.controller === undefined) {
      this.controller = new AbortController();
      if (this.end === 'none') this.ownContext ??= rememberContext();
      else if (this.aborted) this.controller.abort(this.abortReason);
    }
    return this.controller.signal;
  }

  get abortable(): boolean {
    return true;
  }

  get aborted(): boolean {
    return this.end === 'timed-out' || this.end === 'aborted';
  }

  get reason(): unknown {
    return this.abortReason;
  }

  watch(watcher: Watcher): void {
    const inner = this.inner;
    if (inner === undefined) this.inner = watcher;
    else if (inner instanceof Set) inner.add(watcher);
    else this.inner = new Set([inner, watcher]);
  }

  unwatch(watcher: Watcher): void {
    const inner = this.inner;
    if (inner === watcher) this.inner = undefined;
    else if (inner instanceof Set) inner.delete(watcher);
  }

  shown(): CallContext {
    return new ShownContext(this);
  }

  /**
   * Runs the work inside. `next`: the policy right inside, if there is one. `attended`: whether anybody else's code may run when it ends,
   * for that is to run in the call's own async context.
   */
  run(work: Work, next?: Stage, attended = false): Promise<unknown> {
    const { judge, limit, fallback } = this.rig;
    if (attended || fallback !== undefined || limit?.attended) this.ownContext = rememberContext();
    limit?.begin(this);
    if (this.scope.abortable && !this.joins()) return this.neverBegin();
    if (next === undefined) return this.lead(work);
    return judge === undefined ? this.pass(work, next) : this.race(work, next);
  }

  /** Listens to what is around it, if that is still at work. */
  private joins(): boolean {
    const { scope } = this;
    if (scope.aborted) return false;
    scope.watch(this);
    return true;
  }

  /** The protected function, or its call's early end. */
  private lead(work: Work): Promise<unknown> {
    // An executor written right here is compiled into its place. (Measured: 0.3 × bare less than one shared by all.)
    const promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    promised(work, this.shown()).then(
      (value) => this.settled(true, value),
      (error) => this.settled(false, error),
    );
    return promise;
  }

  /** The policies inside, or their call's early end. */
  private race(work: Work, next: Stage): Promise<unknown> {
    this.isLeaf = false;
    const promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    proceed(work, this, next).then(
      (value) => this.settled(true, value),
      (error) => this.settled(false, error),
    );
    return promise;
  }

  /** Policies inside end when this call does: then it needs no promise of its own. (Measured: 0.8 × bare less a policy.) */
  private pass(work: Work, next: Stage): Promise<unknown> {
    this.isLeaf = false;
    return proceed(work, this, next).then(
      (value) => this.passed(value),
      (error) => {
        this.passed(undefined);
        throw error;
      },
    );
  }

  /** Its caller gave up after its admission and before its work, in a listener for instance. Nothing goes on that would need the place. */
  private neverBegin(): Promise<unknown> {
    this.isLeaf = false;
    const promise = new Promise((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
    this.handleEvent();
    return promise;
  }

  /** The policies inside have ended, of themselves or because this call has. */
  private passed(value: unknown): unknown {
    if (this.end === 'none') {
      this.over();
      return value;
    }
    this.settleWork();
    throw this.abortReason;
  }

  /** What it ran has settled in time. A call inside may have left work behind all the same: that keeps the place. */
  over(): void {
    this.finish('settled');
    if (this.leftBehind > 0) this.keepPlace();
    else this.leavePlace();
  }

  /** All that was inside has ended; the place stays taken while work goes on there. */
  private settleWork(): void {
    if (this.leftBehind > 0) return;
    this.queue?.remove(this);
    this.leavePlace();
  }

  /** Work goes on although its call has ended, this one or one inside. */
  leaveBehind(): void {
    this.leftBehind++;
    this.scope.leaveBehind();
  }

  /** Such work has settled after all. `whole`: all that this call waited for has. */
  comeBack(ok: boolean, whole: boolean = !this.isLeaf && this.leftBehind === 1): void {
    this.leftBehind--;
    if (this.end !== 'none') this.settleWork();
    if (whole) this.late(ok);
    this.scope.comeBack(ok);
  }

  private late(ok: boolean): void {
    if (this.end !== 'timed-out') return;
    this.end = 'aborted'; // for the rest it is the same, and it is told once
    this.rig.limit?.late?.(ok);
    if (!this.quiet) this.rig.judge?.late(this, ok);
  }

  /** (Measured: with the rare cases in here a guarded call took a tenth longer.) */
  private settled(ok: boolean, result: unknown): void {
    if (this.leftBehind === 0 && this.end === 'none') {
      this.finish('settled');
      this.leavePlace();
      this.respond(ok, result, 'settled');
    } else this.settledBehind(ok, result);
  }

  private settledBehind(ok: boolean, result: unknown): void {
    if (this.end === 'none') {
      this.over();
      this.respond(ok, result, 'settled');
    } else if (this.isLeaf) this.comeBack(ok, true);
    else this.settleWork();
  }

  private finish(end: CallEnd): void {
    this.end = end;
    this.queue?.remove(this);
    if (this.scope.abortable) this.scope.unwatch(this);
  }

  /** Its call has ended and its work goes on: it keeps its place for a while. */
  private keepPlace(): void {
    if (!this.holdsPlace) return;
    const { releaseOnTimeout, abandonAfterMs, clock } = this.rig.hold as Hold;
    if (releaseOnTimeout) this.leavePlace();
    else deadlines(clock, abandonAfterMs, false).add(this); // it does not hold the process
  }

  private leavePlace(): void {
    if (!this.holdsPlace) return;
    this.holdsPlace = false;
    this.rig.hold?.release();
  }

  private respond(ok: boolean, result: unknown, end: CallEnd): void {
    const answer = this.rig.judge?.conclude(this, ok, result, end);
    const settle = ok || answer !== undefined ? this.resolve : this.reject;
    settle?.(answer ?? result);
  }

  /** Called by the queue: the time of the call is up, or that of the work it left behind. */
  due(): void {
    if (this.end === 'none') this.endEarly('timed-out', (this.rig.limit as TimeLimit).expired());
    else if (this.holdsPlace) {
      // Whoever owns the place is told.
      if (this.rig.hold?.abandoned) this.rig.hold.abandoned();
      else this.rig.judge?.abandoned(this);
      this.leavePlace();
    }
  }

  /** Called by what is around it. */
  handleEvent(): void {
    this.abort(this.scope.reason);
  }

  /** Ends it, if it is still at work. */
  abort(reason: unknown): void {
    if (this.end === 'none') this.endEarly('aborted', reason);
  }

  private endEarly(end: 'timed-out' | 'aborted', error: unknown): void {
    inContext(this.ownContext, () => {
      if (this.isLeaf) this.leaveBehind();
      this.finish(end);
      this.keepPlace();
      this.abortReason = error;
      // Only now: a listener that gives up for the caller would end it a second time.
      if (end === 'timed-out') this.rig.limit?.timedOut?.(this);
      // Whoever is inside ends first, so that what it holds is free when the caller hears of it.
      const inner = this.inner;
      if (inner instanceof Set) for (const watcher of [...inner]) watcher.handleEvent();
      else inner?.handleEvent();
      this.settleWork(); // of what only waited there, nothing goes on
      this.controller?.abort(error);
      this.respond(false, error, end);
    });
  }
}
