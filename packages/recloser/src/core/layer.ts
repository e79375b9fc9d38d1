import { asked, atOnce } from './asked.ts';
import type { RefusingHold, Rig } from './call/call.ts';
import type { CallOptions, Work } from './call/context.ts';
import { CallerScope, nobody, type Scope, ShownContext, type Stage } from './call/scope.ts';
import { type ChannelsOf, channelsOf } from './events/channels.ts';
import { Emitter, report } from './events/emitter.ts';
import { Answers, type Fallback } from './fallback.ts';
import { defaultVerdict } from './outcome.ts';
import type { ArgumentsOf, KeyOfArguments, Policy, Wrapped } from './policy.ts';
import { type Basics, basicsOf, optionOf, type PolicyOptions } from './policy-options.ts';

/** The parts of a call that make up a policy, where there is no more to it. */
export type Parts = Pick<Rig<never>, 'limit'> & { readonly hold?: RefusingHold | undefined };

/** Whether nobody waits for an answer: the caller gave up, or what is around it ended. One whose own deadline has passed still waits. */
export const nobodyWaits = (scope: Scope): boolean =>
  scope.aborted && !(scope instanceof CallerScope && defaultVerdict(false, scope.reason, true) === 'failure');

/** The base of every policy of this package: one inside the other, they hand on a scope and make no options. */
export abstract class Layer<Events extends object> implements Policy {
  protected emitter: Emitter<Events> | undefined = undefined;
  #answers: Answers | undefined = undefined;

  /** The kind of policy, as in the names of its channels and in `pipeline`'s warnings. */
  abstract readonly kind: string;
  /** What a breaker right outside can take over, so that both are one call; `undefined` where there is more to it. */
  get parts(): Parts | undefined {
    return undefined;
  }

  get name(): string {
    return this.basics.name;
  }

  /** Its name in metrics, for which there may be too many names. */
  get label(): string {
    return this.name;
  }

  /** What it is to the registry that keeps it, if one does. */
  get kept(): 'member' | 'parent' | undefined {
    return undefined;
  }

  protected now(): number {
    return this.basics.clock.now();
  }

  /** Reports what a function of the user's threw; never throws. */
  protected report(fault: unknown, where: string): void {
    report(this.basics, fault, where);
  }

  /** What a function of the user's returns; if it throws, or `reader` does, that is reported and the answer is `otherwise`. */
  protected asked<T, A = T>(option: string, question: () => A, otherwise: T, reader?: (answer: A) => T): T {
    return asked(this.basics, option, question, otherwise, reader);
  }

  /**
   * Runs the work under this policy, on behalf of `scope`. It never throws, and rejects as soon as the scope is aborted.
   * `next`: the policy right inside; `undefined` if that is the protected function itself.
   */
  abstract run(work: Work, scope: Scope, next?: Stage): Promise<unknown>;

  protected abstract readonly channels: ChannelsOf<keyof Events & string>;
  protected abstract readonly basics: Basics;

  execute<T>(fn: Work<never> & (() => T), options?: CallOptions<Fallback>): Promise<Awaited<T>>;
  execute(fn: Work<never>, options?: CallOptions<Fallback>): Promise<unknown> {
    if (options == null && typeof fn === 'function') return this.run(fn as Work, nobody);
    return this.executeWith(fn as Work, options);
  }

  private executeWith(work: Work, options: CallOptions<Fallback> = {}): Promise<unknown> {
    if (typeof work !== 'function') return Promise.reject(new TypeError(`${this.name}: execute takes a function`));
    try {
      const around = ShownContext.scopeOf(Object(options));
      return around === undefined ? this.called(work, new CallerScope(this.name, options)) : this.run(work, around);
    } catch (error) {
      return Promise.reject(error);
    }
  }

  /** A call whose caller gave options: as `run`, with the fallback among them. */
  abstract called(work: Work, scope: CallerScope, next?: Stage): Promise<unknown>;

  protected get answers(): Answers {
    return (this.#answers ??= new Answers(() => this.now()));
  }

  wrap<F extends (...args: never[]) => unknown>(fn: F, keyOf?: KeyOfArguments<F>): Wrapped<F> {
    const layer = this;
    if (typeof fn !== 'function' || !(keyOf === undefined || typeof keyOf === 'function')) {
      throw new TypeError(`${this.name}: wrap takes a function, and another for the key`);
    }
    const inner = fn as unknown as (...args: unknown[]) => unknown;
    const wrapped = function (this: unknown, ...args: unknown[]): unknown {
      const run = (context?: unknown) => inner.apply(this, [...args, context]);
      try {
        return layer.execute(run, keyOf && { key: atOnce(keyOf(...(args as ArgumentsOf<F>)), layer.basics, 'keyOf') });
      } catch (error) {
        return Promise.reject(error); // of keyOf: execute never throws
      }
    };
    return wrapped as unknown as Wrapped<F>;
  }

  /** Adds a listener; the function it returns removes it. @throws TypeError for an unknown event */
  on<E extends keyof Events & string>(event: E, listener: (payload: Events[E]) => void): () => void {
    const known = Object.keys(this.channels);
    if (!known.includes(event)) throw new TypeError(`on: no event '${String(event)}' (known: ${known.join(', ')})`);
    if (typeof listener !== 'function') throw new TypeError('on: the listener must be a function');
    return (this.emitter ??= new Emitter((fault, on) => this.report(fault, on))).on(event, listener);
  }

  /** Takes up the listeners among the options. */
  protected listen(given: Record<string, unknown>): void {
    for (const event of Object.keys(this.channels) as (keyof Events & string)[]) {
      const listener = given[optionOf(event)];
      if (listener !== undefined) this.on(event, listener as (payload: unknown) => void);
    }
  }

  /** Whether anybody listens to an event, here or on its channel: if not, what it would tell need not be put together. */
  protected heard(event: keyof Events & string): boolean {
    return this.emitter !== undefined || this.channels[event].hasSubscribers;
  }

  /** Tells what happened: on the channel first, for a listener here may bring about the next event. */
  protected tell<E extends keyof Events & string>(event: E, payload: Events[E]): void {
    const channel = this.channels[event];
    if (channel.hasSubscribers) channel.publish({ policy: this, event, payload });
    this.emitter?.emit(event, payload);
  }
}

/** The base of the policies whose common options never change. A call's own fallback stands around them. */
export abstract class BasicLayer<Events extends object> extends Layer<Events> {
  readonly kind: string;
  protected readonly basics: Basics;
  protected readonly channels: ChannelsOf<keyof Events & string>;

  /** @param settings the options, checked: those that all policies have, and listeners among the others */
  constructor(kind: string, settings: PolicyOptions, eventNames: readonly (keyof Events & string)[]) {
    super();
    this.kind = kind;
    this.basics = basicsOf(kind, settings);
    this.channels = channelsOf(kind, eventNames);
    this.listen(settings as Record<string, unknown>);
  }

  called(work: Work, scope: CallerScope, next?: Stage): Promise<unknown> {
    const { answer: fallback, key } = scope;
    const result = this.run(work, scope, next);
    if (fallback === undefined) return result;
    return result.then(
      (value) => {
        this.answers.remember(fallback, key, value);
        return value;
      },
      (error) => {
        if (nobodyWaits(scope)) throw error;
        return this.answers.instead(fallback, error, scope);
      },
    );
  }
}
