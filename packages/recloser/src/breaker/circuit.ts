import { atOnce } from '../core/asked.ts';
import { Layer } from '../core/layer.ts';
import { LatencyHistogram } from '../windows/latency.ts';
import { type Action, type BreakerEvents, type CircuitState, channels, kind, type Transition } from './events.ts';
import { deepFreeze, type Facts, noFacts, remembered, type TroubleLog } from './evidence.ts';
import { whyOf } from './explain.ts';
import { type Answer, type ComputedState, type Entered, type Machine, type MachineEvent, step } from './machine.ts';
import { Tally } from './metrics.ts';
import type { Settings } from './options.ts';
import { type Override, type ReleaseOptions, standing } from './override.ts';
import type { Beginning } from './snapshot.ts';
import type { Measurement, TripCounter } from './trip-rules/rule.ts';

const eventOf: Record<ComputedState, 'opened' | 'half-opened' | 'closed'> = {
  open: 'opened',
  'half-open': 'half-opened',
  closed: 'closed',
};

const { succeeded, failed, opened, 'timed-out': timedOut } = channels;

/**
 * The state of one breaker: it steps the machine, performs its effects and tells the listeners. Calls go through `traffic.ts`,
 * which builds on it, people through `breaker.ts`: three rooms, but one object, for there may be thousands.
 */
export abstract class Circuit extends Layer<BreakerEvents> {
  settings: Settings;
  readonly tally: Tally = new Tally();
  protected admitted = 0;
  /** At work since it was disabled: no figure, but they are waited for when draining. */
  protected uncounted = 0;
  /** How long it was open, up to the end of the last time. */
  protected openMs = 0;
  protected machine: Machine;
  protected counter: TripCounter;
  /** Whether the trip rule learns what is slow. */
  protected learns = false;
  protected override: Override | undefined;
  ending: 'no' | 'draining' | 'disposed' = 'no';
  protected latency: LatencyHistogram | undefined = undefined;
  /** The calls that counted against the circuit lately. */
  protected trouble: TroubleLog | undefined = undefined;
  /** What listeners want to hear of how calls end: 0 nothing, 1 what went wrong, 2 all. (A field: asking them takes half a bare call.) */
  protected hearing = 0;
  /** Transitions that happened and are not told yet. */
  protected untold: Entered[] | undefined = undefined;

  constructor(settings: Settings, { machine, counter, override }: Beginning) {
    super();
    this.settings = settings;
    this.machine = machine;
    this.counter = counter;
    this.override = override;
  }

  /** Derives anew what depends on state and settings, after either changed. */
  protected abstract refresh(): void;
  /** The probes that are out no longer matter. */
  protected abstract endLeases(): void;

  get kind(): string {
    return kind;
  }

  protected get basics(): Settings {
    return this.settings;
  }

  protected get channels(): typeof channels {
    return channels;
  }

  override on<E extends keyof BreakerEvents>(event: E, listener: (payload: BreakerEvents[E]) => void): () => void {
    const off = super.on(event, listener);
    if (event === 'succeeded') this.hearing = 2;
    else if (event === 'failed' || event === 'ignored') this.hearing ||= 1;
    return off;
  }

  /** Whether anybody hears how good calls end, which is almost all of them. */
  protected get hears(): boolean {
    return this.hearing > 1 || succeeded.hasSubscribers;
  }

  /** Whether somebody subscribes to how calls end: then each takes its time. */
  protected get subscribed(): boolean {
    return succeeded.hasSubscribers || failed.hasSubscribers;
  }

  /** Whether anybody hears how calls end. */
  protected get watched(): boolean {
    return this.hearing > 0 || this.subscribed;
  }

  /** Whether anybody else's code may run when a call ends, besides who is `subscribed`: it is to run in the call's own async context. */
  protected get attended(): boolean {
    const told = this.emitter !== undefined || timedOut.hasSubscribers || opened.hasSubscribers;
    return told || this.settings.classify !== undefined;
  }

  get inFlight(): number {
    const { successfulRequests, failedRequests, ignoredRequests } = this.tally;
    return this.admitted - successfulRequests - failedRequests - ignoredRequests;
  }

  /** Calls that have not ended, those that are no figure among them. */
  protected get atWork(): number {
    return this.inFlight + this.uncounted;
  }

  /** Whether the state that a call belonged to is over. */
  isLate({ generation }: { readonly generation: number }): boolean {
    return generation > 0 && generation !== this.machine.generation;
  }

  protected took(elapsedMs: number, now: number): void {
    (this.latency ??= new LatencyHistogram(now)).record(elapsedMs, now);
  }

  /** Asks the trip rule, which may be the user's: one that throws is reported, and does not open. */
  protected record(failed: boolean, elapsedMs: number, now: number): boolean {
    try {
      const trips = this.counter.record(failed, elapsedMs, now);
      return trips && atOnce(trips, this.settings, 'trip');
    } catch (fault) {
      this.report(fault, 'trip');
      return false;
    }
  }

  protected measure(now: number): Measurement {
    const measured = this.asked<Measurement | undefined>('trip', () => this.counter.measure(now), undefined);
    // (Not spread where it is whole: that takes a microsecond of each opening on Node 20.)
    if (typeof measured?.rule === 'string' && typeof measured.value === 'number') return measured;
    return { rule: this.settings.trip.name, value: 0, threshold: 0, calls: 0, ...measured };
  }

  /** From how many milliseconds on a call is slow by the trip rule, or by what that has learnt. */
  protected tripSlowMs(now: number): number {
    return Math.min(this.settings.trip.slowCallMs ?? Infinity, this.learns ? this.learntSlowMs(now) : Infinity);
  }

  protected learntSlowMs(now: number): number {
    try {
      return this.counter.slowCallMs?.(now) ?? Infinity;
    } catch (fault) {
      this.report(fault, 'trip');
      return Infinity;
    }
  }

  /** The rule wants the circuit open; evidence is taken at the moment of the sample. */
  protected trip(retryAfterMs: number, now: number): void {
    if (standing(this.override, now)?.state === 'forced-closed') return;
    const measured = this.measure(now);
    let { failures = 0, slowCalls: slow = 0 } = measured;
    for (const part of measured.parts ?? []) {
      failures = Math.max(failures, part.failures ?? 0);
      slow = Math.max(slow, part.slowCalls ?? 0);
    }
    const facts = this.facts(failures + slow > 0 ? failures : measured.calls, slow);
    this.apply({ type: 'tripped', measured, facts, retryAfterMs }, now);
  }

  protected facts(failures: number, slow: number): Facts {
    return this.trouble?.facts(failures, slow) ?? noFacts;
  }

  /** Of the probe that failed; with a sample, of all that did, for any of them may be the last. */
  protected probeFacts(now: number, failed = false, slow = false): Facts {
    const all = this.settings.sample ? remembered : 0;
    return this.facts(all || Number(failed), all > 0 && this.tripSlowMs(now) < Infinity ? all : Number(slow));
  }

  /** Steps the machine and performs what it asks for; returns the answer, if the event was a call. */
  protected apply(event: MachineEvent, now: number): Answer | undefined {
    const before = this.machine;
    const { machine, entered, answer } = step(before, event, now, this.settings);
    this.machine = machine;
    if (entered !== undefined) this.#enter(before, entered, now);
    if (machine !== before) this.refresh();
    return answer;
  }

  #enter(before: Machine, entered: Entered, now: number): void {
    if (before.state === 'open') this.openMs += now - before.openedAt;
    if (before.state === 'half-open') this.endLeases();
    if (entered.to === 'closed') this.asked('trip', () => this.counter.clear(now), undefined);
    this.trouble = undefined;
    (this.untold ??= []).push(entered);
  }

  /** Tells the transitions, after whatever brought them about was told. */
  protected announce(): void {
    const untold = this.untold;
    this.untold = undefined;
    for (const entered of untold ?? []) {
      const event = eventOf[entered.to];
      if (this.heard(event)) this.tell(event, this.#transition(entered));
    }
  }

  #transition({ from, to, evidence, retryAfterMs }: Entered): Transition {
    const why = whyOf(deepFreeze(evidence), this.settings.trip);
    const told = { breaker: this.name, from, to, generation: evidence.generation, evidence, why };
    return retryAfterMs === undefined ? told : { ...told, retryAfterMs };
  }

  /** Takes a set state off when its time is up. */
  protected expire(now: number): void {
    if (this.override !== undefined && now >= this.override.expiresAt) this.uncover('expired');
  }

  /** Whether the next call is counted. */
  protected counts(): boolean {
    if (this.override !== undefined) this.expire(this.now());
    return this.override?.state !== 'disabled';
  }

  /** Takes off the set state and tells so. */
  protected uncover(
    action: 'released' | 'expired' | 'reset',
    who: ReleaseOptions = {},
    previous: CircuitState = this.shown,
  ): void {
    this.override = undefined;
    this.refresh();
    this.tellAction(action, previous, who);
  }

  protected tellAction(
    action: Action['action'],
    previous: CircuitState,
    { reason, by }: ReleaseOptions,
    expiresInMs?: number,
  ): void {
    const told = { breaker: this.name, action, state: this.shown, previous, reason, by, expiresInMs };
    this.tell(action === 'forced' ? action : 'released', told);
  }

  /** The state that was set, be its time up or not, else the computed one. */
  protected get shown(): CircuitState {
    return this.override?.state ?? this.machine.state;
  }

  /** What the next call meets: the state that was set, as long as it holds, else the computed one. */
  get state(): CircuitState {
    return (this.override && standing(this.override, this.now())?.state) ?? this.machine.state;
  }
}
