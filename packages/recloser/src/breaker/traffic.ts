import { wallTime } from '../core/clock.ts';
import { RejectedError, type RejectionReason } from '../core/errors.ts';
import type { Emitter } from '../core/events.ts';
import type { Fallback } from '../core/fallback.ts';
import { defaultJudgement, judge, type Verdict } from '../core/outcome.ts';
import { Places } from '../core/places.ts';
import { type DeadlineQueue, deadlineQueue } from '../core/timers.ts';
import { LatencyHistogram } from '../windows/latency.ts';
import { Answers, mayFallBack } from './calls/answers.ts';
import { refusal } from './calls/refusal.ts';
import { type CallEnd, type Caller, Epoch, Lease, passing, type Ticket, uncounted } from './calls/ticket.ts';
import { type Beginning, Circuit } from './circuit.ts';
import type { BreakerEvents } from './events.ts';
import { TroubleLog } from './evidence.ts';
import { whyOf } from './explain.ts';
import type { MachineEvent } from './machine.ts';
import type { Settings } from './options.ts';

/** How long the dependency asked to be left alone, if its error says so. */
export function retryAfterOf(error: unknown): number {
  try {
    const ms = (error as { retryAfterMs?: unknown } | null | undefined)?.retryAfterMs;
    return typeof ms === 'number' && ms > 0 ? ms : 0;
  } catch {
    return 0;
  }
}

/** The calls of one breaker: it admits them, takes up their results and counts them. */
export abstract class Traffic extends Circuit {
  protected latency: LatencyHistogram | undefined = undefined;
  protected places: Places | undefined;
  /** Called when the last call has ended, while somebody waits for it. */
  protected onIdle: (() => void) | undefined = undefined;
  /** Every call passes: closed, not recovering, nothing set. */
  protected straight = false;
  /** And nothing can end it early or answer for it. */
  protected quick = false;
  /** The generation whose results are samples of the trip rule; 0 unless closed. */
  #sampling = 0;
  #epoch: Epoch | undefined = undefined;
  #answers: Answers | undefined = undefined;
  #timeouts: DeadlineQueue | undefined = undefined;
  #leases: Set<Lease> | undefined = undefined;
  /** Why it is open, for its refusals; put into words once an opening. */
  #why: { readonly evidence: object; readonly text: string } | undefined = undefined;

  constructor(settings: Settings, beginning: Beginning) {
    super(settings, beginning);
    this.places = settings.maxConcurrent === Infinity ? undefined : new Places(settings.maxConcurrent);
    this.refresh();
  }

  /** When a call began, for `settle`; not a number where nothing needs durations: a clock reading is dear. */
  stamp(): number {
    return this.settings.timed ? this.settings.clock.now() : Number.NaN;
  }

  protected refresh(): void {
    const { machine, settings } = this;
    const closed = machine.state === 'closed';
    this.#sampling = closed ? machine.generation : 0;
    if (this.#epoch?.generation !== this.#sampling) this.#epoch = undefined;
    this.straight = closed && machine.ramp === undefined && this.override === undefined && this.ending === 'no';
    this.quick =
      this.straight && settings.timeoutMs === 0 && this.places === undefined && settings.fallback === undefined;
  }

  protected epoch(): Epoch {
    this.#epoch ??= new Epoch(
      this.#sampling,
      (ticket) => this.settle(ticket, undefined, 'success', undefined, Number.NaN, 0),
      (ticket, error) => this.conclude(ticket, undefined, false, error, Number.NaN, 'settled'),
    );
    return this.#epoch;
  }

  /** Admits a call or answers with its refusal. `raced`: its own timeout ends it, so that a probe needs no other. */
  protected admit(caller: Caller | undefined, raced: boolean): Ticket | RejectedError {
    const ticket = this.straight ? this.epoch() : this.#ask(caller, raced);
    if (ticket instanceof RejectedError) return ticket;
    if (this.holdsPlace(ticket) && !this.places?.take()) {
      return this.#refuse('bulkhead-full', undefined, caller, ticket);
    }
    if (ticket === uncounted) this.tally.uncounted++;
    else this.tally.admitted++;
    return ticket;
  }

  /** A probe needs no place in the bulkhead. */
  protected holdsPlace(ticket: Ticket): boolean {
    return this.places !== undefined && ticket.probe === 0;
  }

  #ask(caller: Caller | undefined, raced: boolean): Ticket | RejectedError {
    const now = this.now();
    this.expire(now);
    if (this.ending !== 'no') return this.#refuse('disposed', undefined, caller, passing);
    const over = this.override;
    if (over?.state === 'disabled') return uncounted;
    if (over?.state === 'forced-closed') return this.#sampling > 0 ? this.epoch() : passing;
    if (over?.state === 'forced-open') {
      const leftMs = over.expiresAt === Infinity ? undefined : over.expiresAt - now;
      return this.#refuse('forced-open', leftMs, caller, passing);
    }
    const answer = this.apply({ type: 'call' }, now);
    this.announce();
    if (answer?.type === 'admit') {
      return answer.probe > 0 ? this.#lease(answer.generation, answer.probe, raced) : this.epoch();
    }
    if (over === undefined) return this.#refuse(answer?.reason ?? 'open', answer?.retryAfterMs, caller, passing);
    this.tally.shadowRejected++;
    return passing;
  }

  #lease(generation: number, probe: number, raced: boolean): Lease {
    const lease = new Lease(generation, probe, (ended) => {
      this.#leases?.delete(ended);
      this.apply({ type: 'lease-ended', generation, probe }, this.now());
      this.announce();
    });
    const { probeTimeoutMs, timeoutMs, clock } = this.settings;
    if (probeTimeoutMs > 0 && !(raced && timeoutMs > 0 && timeoutMs <= probeTimeoutMs)) {
      this.#leases ??= new Set();
      this.#leases.add(lease);
      deadlineQueue(clock, probeTimeoutMs).add(lease);
    }
    return lease;
  }

  protected endLeases(): void {
    for (const lease of this.#leases ?? []) lease.queue?.remove(lease);
    this.#leases = undefined;
  }

  #refuse(
    reason: RejectionReason,
    retryAfterMs: number | undefined,
    caller: Caller | undefined,
    ticket: Ticket,
  ): RejectedError {
    const { name, captureStacks } = this.settings;
    if (ticket !== uncounted) this.tally.rejected++;
    const details = { breaker: name, reason, state: this.shownState(), retryAfterMs };
    const error = refusal(details, this.#reasonOf(reason), captureStacks);
    if (ticket !== uncounted && this.emitter?.has('rejected')) {
      this.emitter.emit('rejected', { breaker: name, key: caller?.key, reason, retryAfterMs });
    }
    return error;
  }

  #reasonOf(reason: RejectionReason): string {
    if (reason === 'bulkhead-full') return String(this.settings.maxConcurrent);
    if (reason === 'forced-open') return this.override?.reason ?? '';
    if (reason === 'disposed') return this.ending;
    if (reason !== 'open' || this.machine.state === 'closed') return '';
    const { evidence } = this.machine;
    if (this.#why?.evidence !== evidence) this.#why = { evidence, text: whyOf(evidence) };
    return this.#why.text;
  }

  /** One call ended: what it says about the dependency, the sample and the events. `result` is the value or the error. */
  conclude(
    ticket: Ticket,
    caller: Caller | undefined,
    ok: boolean,
    result: unknown,
    startedAt: number,
    end: CallEnd,
  ): Verdict {
    const { classify, report } = this.settings;
    if (classify === undefined && ok) {
      this.settle(ticket, caller, 'success', undefined, startedAt, 0);
      return 'success';
    }
    const value = ok ? result : undefined;
    const error = ok ? undefined : result;
    const aborted = end === 'aborted';
    let judgement = defaultJudgement(ok, error, aborted);
    if (classify !== undefined) {
      const elapsedMs = this.since(startedAt, this.now());
      const outcome = { ok, value, error, elapsedMs, aborted, key: caller?.key, context: caller?.context };
      judgement = judge(classify, outcome, (fault) => report(fault, 'classify'));
    }
    const { verdict } = judgement;
    const retryAfterMs = verdict === 'failure' ? Math.max(judgement.retryAfterMs, retryAfterOf(error)) : 0;
    if (end === 'timed-out' && ticket !== uncounted) this.tally.timedOut++;
    this.settle(ticket, caller, verdict, error, startedAt, retryAfterMs, end === 'timed-out');
    return verdict;
  }

  protected since(startedAt: number, now: number): number {
    return startedAt <= now ? now - startedAt : 0; // also where it was not taken
  }

  /** Counts one call, once. A result moves the state only in the generation it was admitted in. */
  settle(
    ticket: Ticket,
    caller: Caller | undefined,
    verdict: Verdict,
    error: unknown,
    startedAt: number,
    retryAfterMs: number,
    timedOut = false,
  ): void {
    const { settings, tally } = this;
    const now = settings.timed ? settings.clock.now() : 0;
    const elapsedMs = this.since(startedAt, now);
    const failed = verdict === 'failure';
    const slow = settings.slowCallMs > 0 && elapsedMs >= settings.slowCallMs && verdict !== 'ignored';
    if (ticket === uncounted) tally.uncounted--;
    else {
      if (verdict === 'success') tally.successful++;
      else if (failed) {
        tally.failed++;
        tally.lastFailureTime = wallTime();
      } else tally.ignored++;
      if (slow) tally.slow++;
      if (settings.latency && verdict !== 'ignored') {
        this.latency ??= new LatencyHistogram(now);
        this.latency.record(elapsedMs, now);
      }
      const current = ticket.generation === this.machine.generation;
      if (current && (failed || slow)) {
        this.trouble ??= new TroubleLog();
        this.trouble.add(failed, error, elapsedMs);
      }
      if (ticket.generation === this.#sampling) {
        if (verdict !== 'ignored' && this.counter.record(failed, elapsedMs, now)) this.trip(retryAfterMs);
      } else if (ticket.probe > 0) this.#settleProbe(ticket, verdict, elapsedMs, retryAfterMs);
      if (!current && ticket.generation > 0) this.late(ticket, 'generation', verdict === 'success');
      if (this.emitter !== undefined) this.#tell(caller, verdict, error, elapsedMs, slow, timedOut);
      if (this.untold !== undefined) this.announce();
    }
    if (this.onIdle !== undefined && tally.inFlight + tally.uncounted === 0) this.onIdle();
  }

  #settleProbe(ticket: Ticket, verdict: Verdict, elapsedMs: number, retryAfterMs: number): void {
    if (ticket instanceof Lease) {
      ticket.queue?.remove(ticket);
      this.#leases?.delete(ticket);
    }
    const { generation, probe } = ticket;
    const failed = verdict === 'failure';
    // What the trip rule would open on again at once is no reason to close.
    const slow = verdict === 'success' && elapsedMs >= (this.settings.trip.slowCallMs ?? Infinity);
    const event: MachineEvent =
      failed || slow
        ? { type: 'failed', generation, probe, facts: this.facts(failed ? 1 : 0, slow ? 1 : 0), retryAfterMs }
        : { type: verdict === 'success' ? 'succeeded' : 'ignored', generation, probe };
    this.apply(event, this.now());
  }

  #tell(
    caller: Caller | undefined,
    verdict: Verdict,
    error: unknown,
    elapsedMs: number,
    slow: boolean,
    timedOut: boolean,
  ): void {
    const event = verdict === 'success' ? 'succeeded' : verdict === 'failure' ? 'failed' : 'ignored';
    const emitter = this.emitter as Emitter<BreakerEvents>;
    if (!emitter.has(event) && !(timedOut && emitter.has('timed-out'))) return;
    const payload = { breaker: this.settings.name, key: caller?.key, elapsedMs, slow, error };
    if (timedOut) emitter.emit('timed-out', payload);
    emitter.emit(event, payload);
  }

  late(ticket: Ticket, cause: 'timed-out' | 'generation', ok: boolean): void {
    if (ticket === uncounted) return;
    this.tally.late++;
    if (this.emitter?.has('late')) this.emitter.emit('late', { breaker: this.settings.name, cause, ok });
  }

  leavePlace(): void {
    this.places?.release();
  }

  /** The queue of this breaker's timeouts, if it has one. */
  timeouts(): DeadlineQueue | undefined {
    const { timeoutMs, clock } = this.settings;
    if (timeoutMs === 0) return undefined;
    const known = this.#timeouts;
    if (known?.current && known.durationMs === timeoutMs) return known;
    this.#timeouts = deadlineQueue(clock, timeoutMs);
    return this.#timeouts;
  }

  /** The queue of the work that outlives its call: it holds places, but not the process. */
  abandonments(): DeadlineQueue | undefined {
    const { abandonAfterMs, clock } = this.settings;
    return abandonAfterMs === 0 ? undefined : deadlineQueue(clock, abandonAfterMs, false);
  }

  /** The fallback's answer to a failure or a refusal; `undefined` where there is none to be had. */
  answer(
    error: unknown,
    verdict: Verdict,
    own: Fallback | undefined,
    outer: AbortSignal | undefined,
    caller: Caller | undefined,
  ): Promise<unknown> | undefined {
    const fallback = own ?? this.settings.fallback;
    if (fallback === undefined || !mayFallBack(verdict, error)) return undefined;
    if (this.override?.state !== 'disabled') this.tally.fallbacks++;
    return this.#answersOf().instead(fallback, error, outer, caller);
  }

  remember(own: Fallback | undefined, key: string | undefined, value: unknown): void {
    const fallback = own ?? this.settings.fallback;
    if (fallback !== undefined) this.#answersOf().remember(fallback, key, value);
  }

  #answersOf(): Answers {
    this.#answers ??= new Answers(() => this.now());
    return this.#answers;
  }

  /** A call whose caller had given up before it began: counted, ignored, no sample. */
  protected pass(caller: Caller | undefined): void {
    if (this.override?.state === 'disabled') return;
    this.tally.admitted++;
    this.settle(passing, caller, 'ignored', undefined, Number.NaN, 0);
  }

  /** The bulkhead as the settings want it; those at work keep their places. */
  protected resize(): void {
    const { maxConcurrent } = this.settings;
    if (maxConcurrent !== Infinity) {
      this.places ??= new Places(maxConcurrent);
    }
    if (this.places !== undefined) this.places.limit = maxConcurrent;
  }
}
