import { begin } from '../../core/call/begin.ts';
import type { Work } from '../../core/call/context.ts';
import type { Scope, Stage } from '../../core/call/scope.ts';
import { tellLife } from '../../core/events/channels.ts';
import { BasicLayer } from '../../core/layer.ts';
import type { Policy } from '../../core/policy.ts';
import { longestTimerMs } from '../../core/time/clock.ts';
import { wait } from '../../core/wait.ts';
import { marked } from './errors.ts';
import { type ChaosEvents, eventNames, type Injection } from './events.ts';
import {
  type ChaosChanges,
  type ChaosOptions,
  type ChaosSettings,
  type EnableOptions,
  type Plan,
  readChanges,
  readDisable,
  readEnable,
  readOptions,
  type SwitchOptions,
} from './options.ts';

/** The figures of a chaos policy since it was made. */
export interface ChaosMetrics {
  readonly name: string;
  readonly enabled: boolean;
  readonly totalRequests: number;
  /** Calls to which something was done. */
  readonly injectedRequests: number;
  /** How often what was done; several things may be done to one call. */
  readonly injections: Readonly<Record<Injection, number>>;
}

/** A policy that does harm on purpose. */
export interface Chaos<Answer = never> extends Policy<Answer> {
  /** Whether calls may be harmed now. */
  readonly enabled: boolean;
  /** Switches it on. @throws RangeError, TypeError */
  enable(options?: EnableOptions): void;
  /** Switches it off: from now on calls pass untouched; those already harmed go on. @throws TypeError */
  disable(options?: SwitchOptions): void;
  /** Changes what is done to which calls; it does not switch it on. @throws RangeError, TypeError */
  update(changes: ChaosChanges<Answer>): void;
  /** The figures of this moment. */
  metrics(): ChaosMetrics;
  /** Adds a listener; the answer takes it off again. */
  on<E extends keyof ChaosEvents>(event: E, listener: (payload: ChaosEvents[E]) => void): () => void;
}

class ChaosLayer extends BasicLayer<ChaosEvents> {
  #plan: Plan;
  /** Until when it is on: `Infinity` for ever, `undefined` if it is off. */
  #until: number | undefined;
  #total = 0;
  #injected = 0;
  readonly #injections: Record<Injection, number> = { behaviour: 0, latency: 0, fault: 0, outcome: 0 };

  constructor(settings: ChaosSettings) {
    super('chaos', settings, eventNames);
    this.#plan = settings;
    this.#until = settings.enabled ? Infinity : undefined;
  }

  get enabled(): boolean {
    return this.#until !== undefined && this.now() < this.#until;
  }

  run(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    this.#total++;
    if (this.#until === undefined || !this.#strikes(scope)) return begin(work, scope, next);
    this.#injected++;
    return this.#inject(this.#plan, work, scope, next);
  }

  #strikes(scope: Scope): boolean {
    if (!this.enabled) {
      this.disable({ reason: 'expired' });
      return false;
    }
    const { rate, when } = this.#plan;
    const drawn = this.asked('random', this.basics.random, 1);
    return drawn < rate && (!when || this.asked('when', () => when(scope.shown()), false));
  }

  /** Behaviour, latency, then a fault or an outcome; without either the call goes on. */
  async #inject({ behaviour, latencyMs, fault, outcome }: Plan, work: Work, scope: Scope, next?: Stage) {
    const tell = (injection: Injection): void => {
      this.#injections[injection]++;
      this.tell('injected', { policy: this.name, key: scope.key, injection });
    };
    try {
      if (behaviour !== undefined) {
        tell('behaviour');
        await begin(behaviour, scope);
      }
      if (latencyMs !== undefined) {
        tell('latency');
        const ms = typeof latencyMs === 'function' ? await begin(latencyMs, scope) : latencyMs;
        await wait(this.basics.clock, Math.min(longestTimerMs, Math.max(0, ms as number)) || 0, scope);
      }
      if (fault) throw fault === true ? undefined : await begin(fault, scope);
      if (outcome !== undefined) {
        tell('outcome');
        return await begin(outcome, scope);
      }
    } catch (error) {
      if (scope.aborted && error === scope.reason) throw error;
      tell('fault');
      throw marked(error, this.name);
    }
    return begin(work, scope, next);
  }

  enable(options: EnableOptions = {}): void {
    const { expiresInMs = Infinity, by, reason } = readEnable(options);
    this.#until = this.now() + expiresInMs;
    this.tell('enabled', { policy: this.name, by, reason, expiresInMs });
  }

  disable(options: SwitchOptions = {}): void {
    const { by, reason } = readDisable(options);
    if (this.#until === undefined) return;
    this.#until = undefined;
    this.tell('disabled', { policy: this.name, by, reason });
  }

  update(changes: ChaosChanges): void {
    const { plan, changed } = readChanges(changes, this.#plan);
    this.#plan = plan;
    this.tell('updated', { policy: this.name, changed });
  }

  metrics(): ChaosMetrics {
    return {
      name: this.name,
      enabled: this.enabled,
      totalRequests: this.#total,
      injectedRequests: this.#injected,
      injections: { ...this.#injections },
    };
  }
}

/**
 * Harms a share of the calls on purpose, to see how the policies around it cope (Netflix's Chaos Monkey; Polly's Simmy): with faults,
 * latency, other outcomes, or whatever you run before the call. Put it innermost. It is off until enabled. Only someone who holds this
 * object can enable it or raise the rate; nothing that a call carries can.
 *
 * @throws RangeError, TypeError with all faults of the options together
 * @example
 * const monkey = chaos({ rate: 0.05, fault: () => Object.assign(new Error('read ECONNRESET'), { code: 'ECONNRESET' }) });
 * monkey.enable({ by: 'ada', reason: 'game day', expiresInMs: 600_000 });
 */
export function chaos<Answer = never>(options: ChaosOptions<Answer>): Chaos<Answer> {
  return tellLife('created', new ChaosLayer(readOptions(options))) as unknown as Chaos<Answer>;
}
