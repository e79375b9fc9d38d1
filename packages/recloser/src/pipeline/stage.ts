import { begin } from '../core/call/begin.ts';
import type { Rig } from '../core/call/call.ts';
import type { CallContext, CallOptions, Work } from '../core/call/context.ts';
import { CallerScope, type Scope } from '../core/call/scope.ts';
import { Layer, type Parts } from '../core/layer.ts';
import type { PolicyLike } from '../core/policy.ts';

/** One link of a pipeline: runs the work under all policies from here inwards. */
export interface Stage {
  run(work: Work<Scope>, scope: Scope, leaf: boolean): Promise<unknown>;
}

/** A policy around the next link. */
export class Around implements Stage {
  readonly #layer: Stage;
  readonly #next: Stage;

  constructor(layer: Stage, next: Stage) {
    this.#layer = layer;
    this.#next = next;
  }

  run(work: Work<Scope>, scope: Scope, leaf: boolean): Promise<unknown> {
    return this.#layer.run((inner) => this.#next.run(work, inner, leaf), scope, false);
  }
}

/** What is inside a policy that knows nothing of scopes: of the call around it only what that policy does not decide. */
class Within extends CallerScope {
  readonly #around: Scope;

  constructor(around: Scope, options: CallOptions) {
    super('pipeline', options);
    this.#around = around;
  }

  override get timeLeftMs(): number {
    return this.#around.timeLeftMs;
  }

  override get attempt(): number {
    return this.#around.attempt;
  }
}

/** A policy that is not of this package. Whether it minds an abort is its business: the call ends all the same. */
export class Foreign implements Stage {
  readonly #policy: PolicyLike;

  constructor(policy: PolicyLike) {
    this.#policy = policy;
  }

  run(work: Work<Scope>, scope: Scope, leaf: boolean): Promise<unknown> {
    if (scope.aborted) return Promise.reject(scope.reason);
    const { key, context } = scope;
    const options: CallOptions = { key, context, signal: scope.abortable ? scope.signal : undefined };
    const within = (given: Partial<CallContext> | undefined): Promise<unknown> => {
      // A signal of the policy's own ends what is inside too.
      const signal = given?.signal ?? options.signal;
      return begin(work, new Within(scope, { key, context, signal }), leaf);
    };
    return begin(() => this.#policy.execute(within, options), scope, true);
  }
}

/** A layer whose calls can take over the parts of others: a circuit breaker. */
export interface Guard extends Stage {
  readonly rig: Rig<unknown>;
  guard(rig: Rig<unknown>, work: Work<Scope>, scope: Scope, leaf: boolean): Promise<unknown>;
}

export const isGuard = (layer: unknown): layer is Guard => layer instanceof Layer && 'guard' in layer;

/**
 * A breaker with the time limit and the places of the policies right inside it: one call instead of three. (Measured: as fast
 * as a breaker with its own.) A breaker that has the same part itself keeps it, and the policies stand inside as they are.
 */
export class Fused implements Stage {
  readonly #guard: Guard;
  readonly #parts: Parts;
  readonly #next: Stage | undefined;
  readonly #apart: Stage;
  #base: Rig<unknown> | undefined = undefined;
  #rig: Rig<unknown> | undefined = undefined;

  constructor(guard: Guard, parts: Parts, next: Stage | undefined, apart: Stage) {
    this.#guard = guard;
    this.#parts = parts;
    this.#next = next;
    this.#apart = apart;
  }

  run(work: Work<Scope>, scope: Scope, leaf: boolean): Promise<unknown> {
    const base = this.#guard.rig;
    if (base !== this.#base) {
      this.#base = base;
      const { limit, hold } = this.#parts;
      const twice = (base.limit && limit) || (base.hold && hold);
      this.#rig = twice
        ? undefined
        : ({ ...base, limit: limit ?? base.limit, hold: hold ?? base.hold } as Rig<unknown>);
    }
    if (this.#rig === undefined) return this.#apart.run(work, scope, leaf);
    const next = this.#next;
    return next === undefined
      ? this.#guard.guard(this.#rig, work, scope, leaf)
      : this.#guard.guard(this.#rig, (inner) => next.run(work, inner, leaf), scope, false);
  }
}
