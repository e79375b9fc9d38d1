import { Call, type CallEnd, type Judge, type Rig } from '../core/call/call.ts';
import type { Work } from '../core/call/context.ts';
import { CallerScope, type Scope, type Stage } from '../core/call/scope.ts';
import { TimeLimit } from '../core/call/time-limit.ts';
import { RejectedError, type RejectionReason } from '../core/errors.ts';
import { nobodyWaits } from '../core/layer.ts';
import { defaultVerdict, judge, retryAfterOf, type Verdict } from '../core/outcome.ts';
import { PlaceHold, Places } from '../core/places.ts';
import { wallTime } from '../core/time/clock.ts';
import { deadlines } from '../core/time/timers.ts';
import { refusal } from './calls/refusal.ts';
import { type Caller, Epoch, Lease, passing, shadowed, type Ticket, uncounted } from './calls/ticket.ts';
import { Circuit } from './circuit.ts';
import type { BreakerEvents, EventName } from './events.ts';
import { TroubleLog } from './evidence.ts';
import { whyOf } from './explain.ts';
import type { Settings } from './options.ts';
import type { Beginning } from './snapshot.ts';

/** The calls of one breaker: it admits them, hears how they end and counts them. */
export abstract class Traffic extends Circuit implements Judge<Ticket> {
  places: Places | undefined;
  /** Called when a call has ended, while somebody waits for that. */
  protected onEnd: (() => void) | undefined = undefined;
  /** Calls that are being admitted or counted, or wait for their fallback: they are not in flight, but waited for. */
  protected between = 0;
  /** Every call passes: closed, not recovering, nothing set. */
  protected straight = false;
  /** And nothing can end it early or answer for it. */
  protected quick = false;
  /** The generation whose results are samples of the trip rule; -1, which is no ticket's, unless closed. */
  private sampling = -1;
  #epoch: Epoch | undefined = undefined;
  #rig: Rig<Ticket> | undefined = undefined;
  #leases: Set<Lease> | undefined = undefined;
  /** Why it is open, for its refusals; put into words once an opening. */
  #why: { readonly evidence: object; readonly text: string } | undefined = undefined;

  constructor(settings: Settings, beginning: Beginning) {
    super(settings, beginning);
    this.refresh();
  }

  protected adopt(settings: Settings): void {
    this.settings = settings;
    this.#rig = undefined;
    this.refresh();
  }

  protected refresh(): void {
    const { machine, settings } = this;
    const { maxConcurrent } = settings;
    const closed = machine.state === 'closed';
    this.sampling = closed ? machine.generation : -1;
    this.learns = 'slowCallMs' in this.counter;
    if (this.#epoch?.generation !== this.sampling) this.#epoch = undefined;
    // Those at work keep their places, whatever the limit has become.
    if (maxConcurrent !== undefined && this.places === undefined) {
      this.places = new Places(maxConcurrent, this.atWork);
      if (this.atWork > 0) this.onEnd ??= nothing;
    }
    if (this.places !== undefined) this.places.limit = maxConcurrent ?? Infinity;
    this.straight = closed && machine.ramp === undefined && this.override === undefined && this.ending === 'no';
    this.quick =
      this.straight && settings.timeoutMs === 0 && this.places === undefined && settings.fallback === undefined;
  }

  /** What its calls run under by themselves. */
  get rig(): Rig<Ticket> {
    return this.#rig ?? this.#makeRig();
  }

  #makeRig(): Rig<Ticket> {
    const { timeoutMs, clock, releaseOnTimeout, abandonAfterMs, fallback } = this.settings;
    return (this.#rig = {
      judge: this,
      limit: timeoutMs > 0 ? new TimeLimit(this.name, timeoutMs, clock) : undefined,
      hold: this.places && new PlaceHold(this.places, releaseOnTimeout, abandonAfterMs, clock),
      unplaced: this.places === undefined,
      fallback,
    });
  }

  protected epoch(): Epoch {
    return this.#epoch ?? this.#newEpoch();
  }

  #newEpoch(): Epoch {
    return (this.#epoch = new Epoch(this.sampling, this));
  }

  /** Counts a call that is admitted, under places that have come since it asked too. */
  protected count(ticket: Ticket, unplaced = false): void {
    if (unplaced && this.places?.unplaced(1)) this.onEnd ??= nothing;
    if (ticket === uncounted) this.uncounted++;
    else this.admitted++;
    if (ticket === shadowed) this.tally.shadowRejectedRequests++;
  }

  /** What a call is admitted as, or its refusal. `limitMs`: when its own timeout ends it (0: never), so that a probe needs no other. */
  protected ask(caller: Caller | undefined, limitMs: number): Ticket | RejectedError {
    if (this.straight) return this.epoch();
    const now = this.now();
    this.expire(now);
    const over = this.override;
    const pass = over?.state === 'disabled' ? uncounted : undefined;
    if (this.ending !== 'no') return this.refuse('disposed', undefined, caller, pass);
    if (pass !== undefined) return pass;
    if (over?.state === 'forced-closed') return this.sampling > 0 ? this.epoch() : passing;
    if (over?.state === 'forced-open') {
      return this.refuse('forced-open', over.expiresAt === Infinity ? undefined : over.expiresAt - now, caller);
    }
    const answer = this.apply({ type: 'call' }, now);
    // Made before the transition is told: a listener may bring about the next one.
    let ticket: Ticket = shadowed;
    if (answer?.type !== 'refuse') ticket = answer?.probe ? this.#lease(answer.probe, limitMs) : this.epoch();
    if (this.untold !== undefined) {
      this.between++;
      this.announce();
      this.between--;
    }
    if (answer?.type === 'refuse' && over === undefined) return this.refuse(answer.reason, answer.retryAfterMs, caller);
    return ticket;
  }

  #lease(probe: number, limitMs: number): Lease {
    const { generation } = this.machine;
    const lease = new Lease(generation, probe, () => {
      this.#leases?.delete(lease);
      const now = this.now();
      this.apply({ type: 'lease-ended', generation, probe, facts: this.probeFacts(now) }, now);
      this.announce();
    });
    const { probeTimeoutMs, clock } = this.settings;
    if (probeTimeoutMs > 0 && !(limitMs > 0 && limitMs <= probeTimeoutMs)) {
      (this.#leases ??= new Set()).add(lease);
      deadlines(clock, probeTimeoutMs).add(lease);
    }
    return lease;
  }

  protected endLeases(): void {
    for (const lease of this.#leases ?? []) lease.queue?.remove(lease);
    this.#leases = undefined;
  }

  protected refuse(
    reason: RejectionReason,
    retryAfterMs: number | undefined,
    caller?: Caller,
    ticket?: Ticket,
  ): RejectedError {
    const { captureStacks, maxConcurrent, trip } = this.settings;
    const { name, machine } = this;
    let words = '';
    if (reason === 'bulkhead-full') words = String(maxConcurrent);
    if (reason === 'forced-open') words = this.override?.reason ?? '';
    if (reason === 'open' && machine.state !== 'closed') {
      const { evidence } = machine;
      if (this.#why?.evidence !== evidence) this.#why = { evidence, text: whyOf(evidence, trip) };
      words = this.#why.text;
    }
    const error = refusal({ breaker: name, reason, state: this.state, retryAfterMs }, words, captureStacks);
    if (ticket !== uncounted) {
      this.tally.rejectedRequests++;
      if (this.heard('rejected')) {
        this.between++;
        this.tell('rejected', { breaker: name, key: caller?.key, reason, retryAfterMs });
        // By then a fallback has begun, which is waited for as well.
        void Promise.resolve().then(() => this.#arrived());
      }
    }
    return error;
  }

  /** When a call began, for `settle`: `undefined` where nothing needs durations: a clock reading is dear. */
  stamp(subscribed: boolean = this.subscribed): number | undefined {
    return subscribed || this.settings.timed ? this.settings.clock.now() : undefined;
  }

  /** Begins a call that is admitted. (Whether somebody subscribes is asked once: asked twice, channels took 3 % of it.) */
  protected begin(
    rig: Rig<Ticket>,
    scope: Scope,
    ticket: Ticket,
    holdsPlace: boolean,
    work: Work,
    next?: Stage,
  ): Promise<unknown> {
    const { subscribed } = this;
    const startedAt = this.stamp(subscribed);
    return new Call(rig, scope, ticket, holdsPlace, startedAt).run(work, next, subscribed || this.attended);
  }

  conclude(call: Call<Ticket>, ok: boolean, result: unknown, end: CallEnd): Promise<unknown> | undefined {
    if (!ok || !this.succeeded(call.ticket, call.startedAt)) return this.#conclude(call, ok, result, end);
    if (call.fallback !== undefined) this.answers.remember(call.fallback, call.key, result);
    return undefined;
  }

  #conclude(call: Call<Ticket>, ok: boolean, result: unknown, end: CallEnd): Promise<unknown> | undefined {
    const { ticket, scope, fallback } = call;
    const counted = ticket !== uncounted;
    call.quiet = !counted || this.isLate(ticket);
    this.between++;
    const verdict = this.assess(ticket, scope, ok, result, call.startedAt, end, call.rig.unplaced);
    // What ended it from further out gets no answer from in here, nor does who gave up, be it only in a listener just now.
    const waits = end === 'aborted' ? verdict === 'failure' && scope instanceof CallerScope : !nobodyWaits(scope);
    const answer = !ok && waits ? this.answer(fallback, result, verdict, counted, scope) : undefined;
    if (ok && verdict === 'success' && fallback !== undefined) this.answers.remember(fallback, scope.key, result);
    this.#arrived();
    return answer;
  }

  #arrived<E extends EventName>(event?: E | false, told?: BreakerEvents[E]): void {
    if (event && told) this.tell(event, told);
    this.between--;
    this.onEnd?.();
  }

  /** A call ended that keeps no record of its own, for it began when nothing could end it early. */
  ended(ticket: Ticket, caller: Caller | undefined, ok: boolean, result: unknown, startedAt?: number): void {
    this.assess(ticket, caller, ok, result, startedAt, 'settled', true);
  }

  /** A call ends that began when there was no limit: if one has come, it gives its place back. */
  unplace(): void {
    if (this.places?.unplaced(-1) === 0 && this.onEnd === nothing) this.onEnd = undefined;
  }

  /** One call ended: what it says about the dependency, then its sample. `result` is the value or the error. */
  protected assess(
    ticket: Ticket,
    caller: Caller | undefined,
    ok: boolean,
    result: unknown,
    startedAt: number | undefined,
    end: CallEnd,
    unplaced: boolean | undefined,
  ): Verdict {
    const { classify } = this.settings;
    const error = ok ? undefined : result;
    const aborted = end === 'aborted';
    let verdict = defaultVerdict(ok, error, aborted);
    let retryAfterMs = ok ? 0 : retryAfterOf(error);
    if (classify !== undefined) {
      const elapsedMs = since(startedAt, this.now());
      const value = ok ? result : undefined;
      const outcome = { ok, value, error, elapsedMs, aborted, key: caller?.key, context: caller?.context };
      ({ verdict, retryAfterMs } = judge(classify, outcome, this.settings) ?? { verdict: 'failure', retryAfterMs: 0 });
    }
    // Only now: the classifier may just have brought the limit.
    if (unplaced) this.unplace();
    this.settle(ticket, caller, verdict, error, startedAt, retryAfterMs, end);
    return verdict;
  }

  /** Counts a good call, if there is no more to it: the way of almost every one. Else it is to be assessed. (Measured: 0.2 × bare less.) */
  succeeded(ticket: Ticket, startedAt: number | undefined): boolean {
    if (ticket.generation !== this.sampling || this.hears || this.onEnd !== undefined) return false;
    if (this.settings.timed) return this.succeededIn(startedAt);
    this.tally.successfulRequests++;
    if (this.record(false, 0, 0)) this.#tripBy(this.now());
    return true;
  }

  private succeededIn(startedAt: number | undefined): boolean {
    const { settings } = this;
    if (startedAt === undefined || settings.classify !== undefined) return false;
    const now = settings.clock.now();
    const elapsedMs = since(startedAt, now);
    if (elapsedMs >= (settings.noticedMs ?? Infinity) || (this.learns && elapsedMs >= this.learntSlowMs(now)))
      return false;
    if (settings.latency) this.took(elapsedMs, now);
    this.tally.successfulRequests++;
    if (this.record(false, elapsedMs, now)) this.#tripBy(now);
    return true;
  }

  #tripBy(now: number): void {
    this.trip(0, now);
    this.announce();
  }

  /** Counts one call, once. A result moves the state only in the generation it was admitted in. */
  settle(
    ticket: Ticket,
    caller: Caller | undefined,
    verdict: Verdict,
    error: unknown,
    startedAt: number | undefined,
    retryAfterMs = 0,
    end: CallEnd = 'settled',
    givenMs?: number,
  ): void {
    const { settings, tally } = this;
    const timed = settings.timed || this.subscribed;
    const now = timed ? settings.clock.now() : 0;
    const elapsedMs = givenMs ?? (timed ? since(startedAt, now) : 0);
    // It began before anything needed durations: how long it took nobody knows, and 0 would be a lie.
    const untimed = settings.timed && (givenMs ?? startedAt) === undefined;
    const timedOut = end === 'timed-out';
    this.between++;
    if (ticket === uncounted) this.uncounted--;
    else {
      const failed = verdict === 'failure';
      const sampled = verdict !== 'ignored';
      const tripMs = this.tripSlowMs(now);
      const slow = sampled && elapsedMs >= (settings.slowCallMs || tripMs);
      if (verdict === 'success') tally.successfulRequests++;
      else if (failed) {
        tally.failedRequests++;
        tally.lastFailureTime = wallTime();
      } else tally.ignoredRequests++;
      if (timedOut) tally.timedOutRequests++;
      if (slow) tally.slowRequests++;
      if (settings.latency && sampled && !untimed) this.took(elapsedMs, now);
      const late = this.isLate(ticket);
      // What the trip rule opens on: what that calls slow, and no call that is a sample of no state.
      const tripSlow = sampled && elapsedMs >= (tripMs < Infinity ? tripMs : settings.slowCallMs || Infinity);
      if ((failed || tripSlow) && ticket.generation === this.machine.generation) {
        (this.trouble ??= new TroubleLog()).add(failed, tripSlow, error, elapsedMs);
      }
      if (late) this.#tellLate('generation', verdict === 'success');
      else if (ticket.probe > 0) this.#settleProbe(ticket as Lease, verdict, elapsedMs, retryAfterMs);
      else if (ticket.generation > 0 && sampled && !(untimed && settings.trip.reads)) {
        if (this.record(failed, elapsedMs, now)) this.trip(retryAfterMs, timed ? now : this.now());
      }
      const event = failed ? 'failed' : sampled ? 'succeeded' : 'ignored';
      if (timedOut || this.heard(event)) {
        const payload = { breaker: this.name, key: caller?.key, elapsedMs, slow, error, end };
        if (timedOut) this.tell('timed-out', payload);
        this.tell(event, payload);
      }
      if (this.untold !== undefined) this.announce();
    }
    this.#arrived();
  }

  #settleProbe(lease: Lease, verdict: Verdict, elapsedMs: number, retryAfterMs: number): void {
    lease.queue?.remove(lease);
    this.#leases?.delete(lease);
    const { generation, probe } = lease;
    const now = this.now();
    const failed = verdict === 'failure';
    // What the trip rule would open on again at once is no reason to close.
    const slow = verdict === 'success' && elapsedMs >= this.tripSlowMs(now);
    const facts = this.probeFacts(now, failed, slow);
    const type = failed || slow ? 'failed' : verdict === 'success' ? 'succeeded' : verdict;
    this.apply({ type, generation, probe, facts, retryAfterMs: type === 'failed' ? retryAfterMs : 0 }, now);
  }

  #tellLate(cause: 'timed-out' | 'generation', ok: boolean): void {
    this.tally.lateResults++;
    this.tell('late', { breaker: this.name, cause, ok });
  }

  late(_call: Call<Ticket>, ok: boolean): void {
    this.#tellLate('timed-out', ok);
  }

  abandoned({ ticket }: Call<Ticket>): void {
    if (ticket !== uncounted) this.tally.abandoned++;
  }

  /**
   * The fallback's answer to a failure or a refusal, an inner policy's included; `undefined` where there is none to be had:
   * what else was ignored is nobody's to answer.
   */
  protected answer(
    fallback: unknown,
    error: unknown,
    verdict: Verdict,
    counted: boolean,
    scope: Scope,
  ): Promise<unknown> | undefined {
    if (fallback === undefined || !(verdict === 'failure' || error instanceof RejectedError)) return undefined;
    const answer = this.answers.instead(fallback, error, scope);
    if (counted) this.tally.fallbackRequests++;
    const about = { breaker: this.name, key: scope.key, error };
    this.between++;
    answer.then(
      () => this.#arrived(counted && 'fell-back', about),
      (failure) => {
        const left = scope.aborted && failure === scope.reason;
        this.#arrived(counted && !left && 'fallback-failed', { ...about, failure });
      },
    );
    return answer;
  }
}

const nothing = (): void => {};

/** 0 where the beginning was not taken. */
const since = (startedAt: number | undefined, now: number): number =>
  startedAt === undefined ? 0 : Math.max(0, now - startedAt);
