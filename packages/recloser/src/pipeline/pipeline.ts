import type { Work } from '../core/call/context.ts';
import { type CallerScope, proceed, type Scope, type Stage } from '../core/call/scope.ts';
import { callback, having, orFalse, type Reader, read } from '../core/check.ts';
import { BasicLayer, Layer, type Parts } from '../core/layer.ts';
import type { AnswerOf, Policy, PolicyLike, RejectionOf } from '../core/policy.ts';
import { type PolicyOptions, policyOptions } from '../core/policy-options.ts';
import { warnings } from './order.ts';
import { Around, Foreign, Fused, isGuard, Together } from './stage.ts';

/** Options of `pipeline`, before the policies. */
export interface PipelineOptions extends PolicyOptions {
  /** Is told what is known to hurt about the order, in a sentence each; by default it is printed, once a process. `false` for silence. */
  readonly onWarning?: ((warning: string) => void) | false | undefined;
}

/** Policies one inside the other. */
export interface Pipeline<Answer = never, Rejection = never> extends Policy<Answer, Rejection> {
  /** Outermost first. In place of a pipeline stand its policies. */
  readonly policies: readonly PolicyLike[];
}

class PipelineLayer extends BasicLayer<Record<never, never>> implements Pipeline {
  readonly policies: readonly PolicyLike[];
  readonly #outermost: Stage | undefined;
  /** All but the outermost. */
  #inner: Stage | undefined = undefined;

  constructor(options: PolicyOptions, policies: readonly PolicyLike[]) {
    super('pipeline', options, []);
    this.policies = policies;
    this.#outermost = linked(policies);
  }

  /** There is never a policy inside it: in another pipeline its own policies stand in its place. */
  run(work: Work, scope: Scope): Promise<unknown> {
    return proceed(work, scope, this.#outermost);
  }

  /** A call's own fallback takes the place of the outermost policy's, if that has one; else it stands around them all. */
  override called(work: Work, scope: CallerScope): Promise<unknown> {
    if (scope.answer !== undefined) {
      const [outer, ...inner] = this.policies;
      if (answers(outer)) return outer.called(work, scope, (this.#inner ??= linked(inner)));
    }
    return super.called(work, scope);
  }
}

/** Whether it has a fallback of its own. */
const answers = (outer: unknown): outer is Layer<object> =>
  isGuard(outer)
    ? outer.rig.fallback !== undefined
    : outer instanceof Layer && outer.called !== BasicLayer.prototype.called;

/** Links the policies from the innermost outwards. */
function linked(policies: readonly PolicyLike[]): Stage | undefined {
  const [first, ...inner] = policies;
  if (first === undefined) return undefined;
  const outer = first instanceof Layer ? first : new Foreign(first);
  const around = partsOf(outer);
  const limited = around.limit !== undefined && around.hold === undefined;
  const [guard, ...beside] = limited ? inner : policies;
  if (!isGuard(guard)) {
    const { limit, hold }: Parts = { ...around, ...partsOf(inner[0]) };
    if (!limit || !hold) return new Around(outer, linked(inner));
    return new Together(limit, hold, linked(inner.slice(1)));
  }
  const parts: { -readonly [P in keyof Parts]: Parts[P] } = limited ? { limit: around.limit } : {};
  let taken = 0;
  for (const layer of beside) {
    const { limit, hold } = partsOf(layer);
    // What is taken over must be new, and stand right inside.
    if ((!limit && !hold) || (limit && parts.limit) || (hold && parts.hold)) break;
    Object.assign(parts, limit && { limit }, hold && { hold });
    taken++;
  }
  const apart = new Around(outer, linked(inner));
  if (taken === 0 && !limited) return apart;
  return new Fused(guard, parts, limited, linked(beside.slice(taken)), apart);
}

const partsOf = (policy: unknown): Parts => (policy instanceof Layer && policy.parts) || {};

/** What the warnings know it by: breakers and registries may limit the time as well. */
function kindOf(policy: PolicyLike): string {
  if (!(policy instanceof Layer)) return '';
  const { kind, basics } = policy as unknown as { kind: string; basics: { timeoutMs?: number } };
  return basics.timeoutMs ? `${kind}-timeout` : kind;
}

const told = new Set<string>();

function tell(warning: string): void {
  if (told.has(warning)) return;
  told.add(warning);
  console.warn(`recloser: ${warning}`);
}

const layer = having('an object', { execute: 'function' });
const known = policyOptions([], {}, { onWarning: orFalse(callback as Reader<typeof tell>) });

/**
 * Puts policies one inside the other, outermost first. The recommended order: `fallback`, `cache`, `coalesce`, `retry`, `hedge`,
 * `circuitBreaker`, `rateLimit`, `bulkhead`, `timeout`. A breaker with `timeout` and `bulkhead` right inside costs one call, not three.
 *
 * @param policies anything with `execute(fn, options)`; options of the pipeline may come first
 * @throws RangeError, TypeError with all faults together
 * @example
 * const orders = pipeline(retry({ attempts: 3 }), circuitBreaker({ name: 'orders' }), timeout(2_000), bulkhead({ maxConcurrent: 50 }));
 */
export function pipeline<const P extends readonly PolicyLike[]>(
  ...policies: P
): Pipeline<AnswerOf<P[number]>, RejectionOf<P[number]>>;
export function pipeline<const P extends readonly PolicyLike[]>(
  options: PipelineOptions,
  ...policies: P
): Pipeline<AnswerOf<P[number]>, RejectionOf<P[number]>>;
export function pipeline(...given: readonly (PolicyLike | PipelineOptions)[]): Pipeline<never, unknown> {
  const [first] = given;
  const hasOptions = typeof first === 'object' && first !== null && !('execute' in first);
  const policies = (hasOptions ? given.slice(1) : given) as readonly PolicyLike[];
  const options = read('pipeline', hasOptions ? first : {}, (value, path, fault) => {
    if (policies.length === 0) fault('policies', 'one or more', undefined, false);
    for (const [i, policy] of policies.entries()) layer(policy, `policy ${i + 1}`, fault);
    return known(value, path, fault);
  });
  const { onWarning = tell } = options;
  const flat = policies.flatMap((policy) => (policy instanceof PipelineLayer ? policy.policies : [policy]));
  if (onWarning !== false) {
    for (const warning of warnings(flat.map(kindOf))) onWarning(warning);
  }
  return new PipelineLayer(options, flat);
}
