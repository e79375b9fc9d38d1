import { type CallContext, type CallOptions, promised, type Work } from './context.ts';

/** Told, once, when the scope it runs in is aborted. (An `EventListener` too.) */
export interface Watcher {
  handleEvent(): void;
}

/** One call as the policies around it see it, one inside the other. The protected function sees only what `shown` gives it. */
export interface Scope extends CallContext {
  /** Whether anything may end it early. */
  readonly abortable: boolean;
  readonly aborted: boolean;
  /** Why it was aborted. */
  readonly reason: unknown;
  watch(watcher: Watcher): void;
  unwatch(watcher: Watcher): void;
  /** Work inside goes on although its call has ended: places around it stay taken, … */
  leaveBehind(): void;
  /** … until it settles. */
  comeBack(ok: boolean): void;
  shown(): CallContext;
}

/** Whatever runs work on behalf of a call: all policies from here inwards. It never throws. */
export interface Stage {
  run(work: Work, scope: Scope): Promise<unknown>;
}

/** Goes on inwards: to the next policy, or without one to the protected function. */
export function proceed(work: Work, scope: Scope, next?: Stage): Promise<unknown> {
  if (next === undefined) return promised(work, scope.shown());
  try {
    return next.run(work, scope);
  } catch (error) {
    return Promise.reject(error); // it should not: whoever waits would wait for ever
  }
}

/** Of a call that nothing ends early: its signal is never aborted, but listeners on it are the call's own. */
export class RootScope implements Scope {
  #controller: AbortController | undefined = undefined;

  get key(): string | undefined {
    return undefined;
  }

  get context(): unknown {
    return undefined;
  }

  get timeLeftMs(): number {
    return Infinity;
  }

  get attempt(): number {
    return 1;
  }

  get signal(): AbortSignal {
    return (this.#controller ??= new AbortController()).signal;
  }

  get abortable(): boolean {
    return false;
  }

  get aborted(): boolean {
    return false;
  }

  get reason(): unknown {
    return undefined;
  }

  watch(_watcher: Watcher): void {}

  unwatch(_watcher: Watcher): void {}

  leaveBehind(): void {}

  comeBack(_ok: boolean): void {}

  shown(): CallContext {
    return this;
  }
}

class Nobody extends RootScope {
  override shown(): CallContext {
    return new RootScope();
  }
}

/** Of all calls whose callers said nothing: what is shown of it is each call's own. */
export const nobody: Scope = new Nobody();

/** All who watch one signal: a single listener on it, for Node warns of a leak from the eleventh on. */
class Audience implements Watcher {
  /** Mostly there is one: a set is made for the second. (Measured: a fifth of a call with a signal.) */
  #one: Watcher | undefined = undefined;
  #all: Set<Watcher> | undefined = undefined;

  get size(): number {
    return this.#all?.size ?? (this.#one === undefined ? 0 : 1);
  }

  add(watcher: Watcher): void {
    if (this.#all === undefined && this.#one === undefined) this.#one = watcher;
    else this.#all = (this.#all ?? new Set([this.#one as Watcher])).add(watcher);
  }

  delete(watcher: Watcher): void {
    this.#all?.delete(watcher);
    if (this.#one === watcher) this.#one = undefined;
  }

  /** Whom one of them has sent away meanwhile is not told; one that throws keeps nobody from hearing, as on any signal. */
  handleEvent(): void {
    for (const watcher of this.#all ?? [this.#one]) {
      try {
        watcher?.handleEvent();
      } catch (fault) {
        Promise.reject(fault);
      }
    }
  }
}

const audiences = new WeakMap<AbortSignal, Audience>();

/** One that can be listened to, and left. */
const isSignal = (given: AbortSignal | null): boolean =>
  typeof given?.addEventListener === 'function' && typeof given.removeEventListener === 'function';

/** Of a call whose caller said something about it. */
export class CallerScope extends RootScope {
  readonly #given: CallOptions<unknown>;

  /** @throws TypeError, and what a getter of the options throws: before the call is admitted */
  constructor(policy: string, options: CallOptions<unknown>) {
    super();
    // By name: they may be getters of a class, which no spread copies.
    const { signal, key, context, fallback } = options;
    if (signal !== undefined && !isSignal(signal)) throw new TypeError(`${policy}: signal must be an AbortSignal`);
    this.#given = { signal, key, context, fallback };
  }

  override get key(): string | undefined {
    return this.#given.key;
  }

  override get context(): unknown {
    return this.#given.context;
  }

  /** The call's own fallback. By another name than in the options: the function is not to see it in its context. */
  get answer(): unknown {
    return this.#given.fallback;
  }

  /** The caller's own, if there is one: what is to be called off by it, but not to gather listeners on it, gets a `Call`. */
  override get signal(): AbortSignal {
    return this.#given.signal ?? super.signal;
  }

  override get abortable(): boolean {
    return this.#given.signal !== undefined;
  }

  override get aborted(): boolean {
    return this.#given.signal?.aborted === true;
  }

  override get reason(): unknown {
    return this.#given.signal?.reason;
  }

  override watch(watcher: Watcher): void {
    const { signal } = this.#given;
    if (signal === undefined) return;
    let audience = audiences.get(signal);
    if (audience === undefined) {
      audience = new Audience();
      audiences.set(signal, audience);
    }
    if (audience.size === 0) signal.addEventListener('abort', audience);
    audience.add(watcher);
  }

  override unwatch(watcher: Watcher): void {
    const { signal } = this.#given;
    const audience = signal && audiences.get(signal);
    audience?.delete(watcher);
    if (audience?.size === 0) signal?.removeEventListener('abort', audience);
  }
}

/** What the function sees of a call: nothing that leads to other calls. */
export class ShownContext implements CallContext {
  readonly #call: Scope;

  constructor(call: Scope) {
    this.#call = call;
  }

  /** The scope behind a context that is handed on as options: what runs under it is part of that call. */
  static scopeOf(context: object): Scope | undefined {
    if (context instanceof RootScope) return context;
    return #call in context ? context.#call : undefined;
  }

  get key(): string | undefined {
    return this.#call.key;
  }

  get context(): unknown {
    return this.#call.context;
  }

  get signal(): AbortSignal {
    return this.#call.signal;
  }

  get timeLeftMs(): number {
    return this.#call.timeLeftMs;
  }

  get attempt(): number {
    return this.#call.attempt;
  }
}
