import type { CircuitBreaker } from '../breaker/breaker.ts';
import type { CircuitState, EventName } from '../breaker/events.ts';
import { Tally } from '../breaker/metrics.ts';
import { type CircuitBreakerOptions, overlay, type Settings, settingsOf } from '../breaker/options.ts';
import type { Snapshot } from '../breaker/snapshot.ts';
import type { Work } from '../core/call/context.ts';
import type { CallerScope, Scope, Stage } from '../core/call/scope.ts';
import { read } from '../core/check.ts';
import { type ChannelsOf, channelsOf, tellLife } from '../core/events/channels.ts';
import { report } from '../core/events/emitter.ts';
import { basicsOf } from '../core/policy-options.ts';
import { many } from '../core/words.ts';
import { eventNames, isBreakerEvent, type RegistryEvents } from './events.ts';
import { Member } from './member.ts';
import { Members } from './members.ts';
import type { RegistryMetrics } from './metrics.ts';
import { type CheckedOverride, changes, known, optionsFor, type RegistryOptions } from './options.ts';
import { Parent } from './parent.ts';
import type { Registry } from './registry.ts';
import type { RegistrySnapshot } from './snapshot.ts';

class KeyedRegistry extends Members implements Registry {
  readonly kind = 'circuit-breaker-registry';
  readonly parent: Parent | undefined;
  protected readonly channels: ChannelsOf<keyof RegistryEvents> = channelsOf(this.kind, eventNames);
  protected readonly maxEntries: number;
  readonly #name: string;
  #defaults: CircuitBreakerOptions;
  #overrides: readonly CheckedOverride[];
  /** The defaults, completed: one object for all breakers that no override matches. */
  #settings: Settings;
  /** The calls of breakers that are gone. */
  readonly #gone = new Tally();
  /** Breakers taken out while calls were in flight. */
  readonly #leaving = new Set<Member>();
  /** The events of breakers that somebody listens to. */
  readonly #heard = new Set<EventName>();

  constructor(options: RegistryOptions) {
    super();
    const given = read('registry', options, known);
    const { name = 'registry', overrides = [], maxEntries = 10_000, parent, restore, clock, random } = given;
    const printer = { name, onListenerError: undefined };
    // One for all breakers, whatever their options become: so is the clock, which knows by how much it was set back.
    const { onListenerError = (fault, event) => report(printer, fault, event) } = given;
    const shared: CircuitBreakerOptions = { clock, random, onListenerError, ...given.defaults };
    const defaults = { ...shared, clock: shared.clock && basicsOf(name, shared).clock };
    this.#name = name;
    this.#defaults = defaults;
    this.#overrides = overrides;
    this.#settings = this.#complete(defaults);
    this.maxEntries = maxEntries;
    if (parent !== undefined) {
      const { clock, random, onListenerError, classify, start } = defaults;
      const common = { name, clock, random, onListenerError, classify, start };
      this.parent = new Parent({ ...common, ...parent }, restore?.parent, this);
    }
    this.listen(given);
    for (const snapshot of restore?.breakers ?? []) if (!this.peek(snapshot.name)) this.add(snapshot.name, snapshot);
  }

  protected get basics(): Settings {
    return this.#settings;
  }

  override get(name: string): Member {
    const member = super.get(name);
    this.parent?.keys.use(member, this.now());
    return member;
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    try {
      return this.get(scope.key as string).run(work, scope, this.#within(next));
    } catch (error) {
      return Promise.reject(error);
    }
  }

  override called(work: Work, scope: CallerScope, next?: Stage): Promise<unknown> {
    return this.get(scope.key as string).called(work, scope, this.#within(next));
  }

  /** What stands inside the breaker of a key: the parent, where that may refuse. */
  #within(next: Stage | undefined): Stage | undefined {
    const { parent } = this;
    return parent?.asks ? parent.around(next) : next;
  }

  override on<E extends keyof RegistryEvents>(event: E, listener: (payload: RegistryEvents[E]) => void): () => void {
    const off = super.on(event, listener);
    this.#hear(event);
    return off;
  }

  #hear(event: keyof RegistryEvents): void {
    if (!isBreakerEvent(event) || this.#heard.has(event)) return;
    this.#heard.add(event);
    for (const breaker of [this.parent, ...this.all()]) if (breaker !== undefined) this.#forward(breaker, event);
  }

  #forward(breaker: CircuitBreaker, event: EventName): void {
    breaker.on(event, (payload) => {
      const { parent, emitter } = this;
      if (breaker === parent || breaker === this.peek(breaker.name)) emitter?.emit(event, payload);
    });
  }

  protected make(name: string, restore: Snapshot | undefined): Member {
    const settings = this.#settingsFor(name);
    const member = new Member(name, settings, restore, this);
    for (const event of this.#heard) this.#forward(member, event);
    if (this.ending !== 'no') member.dispose();
    return member;
  }

  #settingsFor(name: string): Settings {
    const options = optionsFor(name, this.#defaults, this.#overrides, this.#settings);
    return options === this.#defaults ? this.#settings : this.#complete(options);
  }

  /** What breakers report is told in the name of the registry: there may be very many of their own. */
  #complete(options: CircuitBreakerOptions): Settings {
    return { ...settingsOf(options), name: this.#name };
  }

  protected letGo(member: Member): void {
    this.parent?.keys.mark(member, 0, -Infinity);
    this.#seeOff(member);
  }

  #seeOff(member: Member): void {
    if (member.busy) {
      this.#leaving.add(member);
      // Asked again, for another call may have begun meanwhile.
      void member.whenIdle().then(() => this.#seeOff(member));
    } else {
      this.#leaving.delete(member);
      addTo(this.#gone, member.tally);
    }
  }

  metrics(): RegistryMetrics {
    const { name, size, maxEntries, evicted, overflowed, parent } = this;
    const all = this.all();
    const sum = new Tally();
    const states: { [S in CircuitState]?: number } = {};
    let inFlight = 0;
    addTo(sum, this.#gone);
    for (const member of [...all, ...this.#leaving]) {
      addTo(sum, member.tally);
      inFlight += member.inFlight;
    }
    for (const { state } of all) states[state] = (states[state] ?? 0) + 1;
    const { successfulRequests, failedRequests, ignoredRequests, rejectedRequests } = sum;
    const troubled = all.filter(({ state }) => state !== 'closed');
    return {
      totalRequests: successfulRequests + failedRequests + ignoredRequests + rejectedRequests + inFlight,
      ...sum,
      name,
      size,
      maxEntries,
      evicted,
      overflowed,
      states,
      inFlight,
      troubled: troubled
        .sort((a, b) => b.tally.rejectedRequests - a.tally.rejectedRequests)
        .slice(0, 10)
        .map((member) => member.metrics()),
      ...(parent && { parent: parent.metrics() }),
    };
  }

  explain(): string {
    const states = Object.entries(this.metrics().states).map(([state, n]) => `${n} ${state}`);
    const over = this.parent ? `; over all of them: ${this.parent.explain()}` : '';
    return `${many(this.size, 'breaker')}${states.length > 0 ? `: ${states.join(', ')}` : ''}${over}`;
  }

  update(given: Pick<RegistryOptions, 'defaults' | 'overrides'>): void {
    const { defaults = {}, overrides = this.#overrides } = read('update', given, changes);
    this.#defaults = overlay(this.#defaults, defaults);
    this.#overrides = overrides;
    this.#settings = this.#complete(this.#defaults);
    for (const member of this.all()) {
      const settings = this.#settingsFor(member.name);
      const before: Record<string, unknown> = { ...member.settings.given };
      const after: Record<string, unknown> = { ...settings.given };
      // Its times are those of the clock it began with, be that of an override that is gone.
      const { clock } = member.settings;
      const changed = Object.keys({ ...before, ...after }).filter(
        (option) => option !== 'clock' && before[option] !== after[option],
      );
      if (changed.length > 0) member.become(settings.clock === clock ? settings : { ...settings, clock }, changed);
    }
  }

  toJSON(): RegistrySnapshot {
    const { parent } = this;
    return {
      version: 1,
      breakers: this.all().map((member) => member.toJSON()),
      ...(parent && { parent: parent.toJSON() }),
    };
  }

  async drain(): Promise<void> {
    if (this.ending === 'no') this.ending = 'draining';
    await Promise.all([...this.all(), ...this.#leaving].map((member) => member.drain()));
    this.dispose();
  }

  dispose(): void {
    if (this.ending === 'disposed') return;
    this.ending = 'disposed';
    for (const member of this.all()) member.dispose();
    this.parent?.dispose();
    this.emitter?.clear();
    tellLife('disposed', this);
  }
}

function addTo(sum: Tally, tally: Tally): void {
  const [into, from] = [sum, tally] as unknown as Record<string, number>[];
  const last = Math.max(sum.lastFailureTime ?? 0, tally.lastFailureTime ?? 0);
  for (const counter in from) into![counter]! += from![counter]!;
  sum.lastFailureTime = last || undefined;
}

/**
 * Breakers by name, host, shard or tenant, from one configuration and in bounded memory, so that the outage of one part stays with that
 * part (Brooker, "Will circuit breakers solve my problems?", 2022). Idle breakers make room, the least recently used first; one that is
 * not closed, was set by hand or has calls in flight is never evicted. When all are such, new names share `_overflow`.
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const hosts = registry({ defaults: { timeoutMs: 2_000 }, overrides: [{ match: /^batch-/, options: { timeoutMs: 60_000 } }] });
 * const page = await hosts.execute(({ signal }) => fetch(url, { signal }), { key: url.host });
 */
export function registry(options: RegistryOptions = {}): Registry {
  return tellLife('created', new KeyedRegistry(options));
}
