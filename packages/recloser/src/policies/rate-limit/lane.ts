import type { Scope } from '../../core/call/scope.ts';
import { Waiter, WaitingLine } from '../../core/call/waiting-line.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { Meter } from './meter.ts';

/** A call that waits for its permits. */
export class PermitWaiter extends Waiter {
  readonly cost: number;
  served = false;
  /** When its turn comes, by the lane's plan. */
  plannedAt = 0;
  readonly #lane: Lane;

  constructor(lane: Lane, cost: number, scope: Scope, proceed: () => void, giveUp: (timedOut: boolean) => void) {
    super(lane, scope, 0, proceed, giveUp);
    this.#lane = lane;
    this.cost = cost;
  }

  override proceed(): boolean {
    this.served = true;
    return super.proceed();
  }

  /** There may be enough at this very moment. */
  override due(): void {
    this.#lane.serve();
    if (!this.served) super.due();
  }
}

/** The limit of one key and the calls that wait for it, first come first served: one timer, for the first of them. */
export class Lane extends WaitingLine<PermitWaiter> {
  readonly key: string | undefined;
  readonly meter: Meter;
  readonly #clock: Clock;
  /**
   * The meter as it will be when all that wait have had their turn, and when that is. Made when it is asked for, kept until one of them
   * leaves or is late.
   */
  #plan: Meter | undefined = undefined;
  #until = 0;
  #timer: unknown = undefined;
  #serving = false;

  constructor(key: string | undefined, meter: Meter, clock: Clock) {
    super();
    this.key = key;
    this.meter = meter;
    this.#clock = clock;
  }

  /** In how many whole milliseconds there is enough for all that wait and so much more; 0 if there is now. */
  waitMs(cost: number, now: number): number {
    if (cost > this.meter.most) return Infinity;
    const dueAt = this.length > 0 ? this.#after(cost, now) : this.meter.dueAt(cost, now);
    // Clocks count in fractions: what is short by a nanosecond is there.
    return Math.max(0, Math.ceil(dueAt - now - 1e-6));
  }

  override add(waiter: PermitWaiter): void {
    super.add(waiter);
    if (this.#plan) this.#book(waiter);
    if (this.length === 1) this.#arm();
  }

  override remove(waiter: PermitWaiter): void {
    const wasFirst = waiter === this.first;
    super.remove(waiter);
    if (!waiter.served || this.length === 0) this.#plan = undefined;
    if (wasFirst) this.#arm();
  }

  /** When there is enough for one more behind all that wait. */
  #after(cost: number, now: number): number {
    if (this.#plan === undefined) {
      this.#plan = this.meter.copy();
      this.#until = now;
      for (let { first: next } = this; next !== undefined; next = next.behind as PermitWaiter | undefined)
        this.#book(next);
    }
    return Math.max(this.#until, (this.#plan as Meter).dueAt(cost, this.#until));
  }

  #book(waiter: PermitWaiter): void {
    this.#until = waiter.plannedAt = this.#after(waiter.cost, 0);
    this.#plan?.take(waiter.cost, this.#until);
  }

  /** Admits the waiting calls that there is enough for. */
  serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    for (let { first } = this; first !== undefined; { first } = this) {
      const now = this.#clock.now();
      const at = this.meter.dueAt(first.cost, now);
      if (at > now + 1e-6) break;
      this.meter.take(first.cost, at);
      if (at !== first.plannedAt) this.#plan = undefined;
      first.proceed();
    }
    this.#serving = false;
    this.#arm();
  }

  #arm(): void {
    if (this.#serving) return;
    const clock = this.#clock;
    clock.clearTimeout(this.#timer);
    const { first } = this;
    const now = clock.now();
    this.#timer = first && clock.setTimeout(() => this.serve(), this.meter.dueAt(first.cost, now) - now);
  }
}
