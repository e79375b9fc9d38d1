import type { Clock } from '../time/clock.ts';
import { Call, type Rig } from './call.ts';
import type { CallContext, Work } from './context.ts';
import { CallerScope, type Scope, type Stage, type Watcher } from './scope.ts';
import { TimeLimit } from './time-limit.ts';

/** Which calls belong together, by whose they are; `undefined` for a call that stands alone. */
export type KeyOf = (caller: Pick<CallContext, 'key' | 'context'>) => string | undefined;

/** One who waits for a flight. */
interface Passenger extends Watcher {
  readonly scope: Scope;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: unknown) => void;
}

/** What a flight runs under: the call that began it does not end it, but what it leaves behind is that one's. */
class Begun extends CallerScope {
  readonly scope: Scope;

  constructor(policy: string, scope: Scope) {
    super(policy, { key: scope.key, context: scope.context });
    this.scope = scope;
  }

  override get attempt(): number {
    return this.scope.attempt;
  }

  override leaveBehind(): void {
    this.scope.leaveBehind();
  }

  override comeBack(ok: boolean): void {
    this.scope.comeBack(ok);
  }
}

/** Work that many calls wait for. None of them ends it, each leaves by its own abort; the last to leave calls it off. */
export class Flight extends Call {
  readonly #passengers = new Set<Passenger>();
  /** Nobody may join any more. */
  #overdue = false;
  /** The call that began it has left, and its work goes on for the others. */
  #leftBehind = false;
  calledOff: (() => void) | undefined = undefined;

  get joinable(): boolean {
    return !this.#overdue && !this.aborted;
  }

  get passengers(): number {
    return this.#passengers.size;
  }

  /** That of whoever can wait longest. */
  override get timeLeftMs(): number {
    const left = [...this.#passengers].map(({ scope }) => scope.timeLeftMs);
    return left.length > 0 ? Math.max(...left) : super.timeLeftMs;
  }

  join(scope: Scope): Promise<unknown> {
    return new Promise((resolve, reject) => {
      const handleEvent = (): void => {
        scope.unwatch(passenger);
        this.#passengers.delete(passenger);
        if (this.#passengers.size === 0 && !this.aborted) {
          if (this.calledOff) {
            this.abort(scope.reason);
            this.calledOff();
          } else if (this.#overdue) super.due();
        } else if (scope === (this.scope as Begun).scope) {
          this.#leftBehind = true;
          scope.leaveBehind();
        }
        reject(scope.reason);
      };
      const passenger = { scope, resolve, reject, handleEvent };
      this.#passengers.add(passenger);
      scope.watch(passenger);
    });
  }

  land(ok: boolean, result: unknown): void {
    if (this.#leftBehind) this.scope.comeBack(ok);
    for (const passenger of this.#passengers) {
      passenger.scope.unwatch(passenger);
      (ok ? passenger.resolve : passenger.reject)(result);
    }
    this.#passengers.clear();
  }

  /** Work that hangs must not hang everybody who comes after; what nobody waits for ends. */
  override due(): void {
    this.#overdue = true;
    if (this.#passengers.size === 0) super.due();
  }
}

/** What is under way for each key, at most one flight that may be joined. */
export class Flights {
  readonly #name: string;
  readonly #rig: Rig<undefined> & { readonly limit: TimeLimit };
  readonly #calledOff: (key: string) => void;
  readonly #flying = new Map<string, Flight>();

  /** @param joinForMs how long a flight may be joined */
  constructor(name: string, clock: Clock, joinForMs: number, calledOff: (key: string) => void = () => {}) {
    this.#name = name;
    this.#rig = { limit: new TimeLimit(name, joinForMs, clock) };
    this.#calledOff = calledOff;
  }

  get size(): number {
    return this.#flying.size;
  }

  /** The one to join. (Its timer may have gone with the request it was armed in: Cloudflare.) */
  at(key: string): Flight | undefined {
    const flight = this.#flying.get(key);
    return flight?.joinable && this.#rig.limit.leftMs(flight.dueAt) > 0 ? flight : undefined;
  }

  /** Its result is nobody's business any more: it lands without `landed`. */
  forget(key?: string): void {
    if (key === undefined) this.#flying.clear();
    else this.#flying.delete(key);
  }

  /**
   * Starts work on a new flight, that the caller waits for (and others may join), or with `alone` nobody: then it ends by itself, or when
   * it may no longer be joined.
   *
   * @param landed told the value before those who wait, unless there is a newer flight or it was forgotten; must not throw
   */
  start(
    key: string,
    work: Work,
    scope: Scope,
    next?: Stage,
    alone = false,
    landed: (value: unknown) => void = () => {},
  ): Promise<unknown> {
    const flight = new Flight(this.#rig, new Begun(this.#name, scope), undefined, false);
    this.#flying.set(key, flight);
    if (!alone) flight.calledOff = () => this.#calledOff(key);
    const answer = alone ? undefined : flight.join(scope);
    const result = flight.run(work, next);
    const land = (ok: boolean, value: unknown): void => {
      if (this.#flying.get(key) === flight) {
        this.#flying.delete(key);
        if (ok) landed(value);
      }
      flight.land(ok, value);
    };
    result.then(
      (value) => land(true, value),
      (error) => land(false, error),
    );
    return answer ?? result;
  }
}
