import type { Scope } from '../../core/call/scope.ts';
import { Waiter, WaitingLine } from '../../core/call/waiting-line.ts';
import type { Clock } from '../../core/time/clock.ts';
import type { Meter } from './meter.ts';

/** A call that waits until there is enough for it. */
export class Costly extends Waiter {
  readonly cost: number;
  readonly #lane: Lane;
  #served = false;

  constructor(lane: Lane, cost: number, scope: Scope, proceed: () => void, giveUp: (timedOut: boolean) => void) {
    super(lane, scope, 0, proceed, giveUp);
    this.#lane = lane;
    this.cost = cost;
  }

  override proceed(): boolean {
    this.#served = true;
    return super.proceed();
  }

  /** There may be enough at this very moment. */
  override due(): void {
    this.#lane.serve();
    if (!this.#served) super.due();
  }
}

/** The limit of one key and those who wait for it, first come first served: one timer for the first of them. */
export class Lane extends WaitingLine<Costly> {
  readonly key: string | undefined;
  readonly meter: Meter;
  readonly #clock: Clock;
  /** Of all who wait. */
  #cost = 0;
  #timer: unknown = undefined;
  #serving = false;

  constructor(key: string | undefined, meter: Meter, clock: Clock) {
    super();
    this.key = key;
    this.meter = meter;
    this.#clock = clock;
  }

  /** How long until there is enough for all who wait and so much more. */
  waitMs(cost: number, now: number): number {
    return cost > this.meter.most ? Infinity : this.meter.waitMs(this.#cost + cost, now);
  }

  override add(waiter: Costly): void {
    super.add(waiter);
    this.#cost += waiter.cost;
    if (this.length === 1) this.#arm();
  }

  override remove(waiter: Costly): void {
    const wasFirst = waiter === this.first;
    super.remove(waiter);
    this.#cost -= waiter.cost;
    if (wasFirst) this.#arm();
  }

  /** Lets all go for whom there is enough. */
  serve(): void {
    if (this.#serving) return;
    this.#serving = true;
    for (let { first } = this; first !== undefined; { first } = this) {
      const now = this.#clock.now();
      if (this.meter.waitMs(first.cost, now) > 0) break;
      this.meter.take(first.cost, now);
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
    this.#timer = first && clock.setTimeout(() => this.serve(), this.meter.waitMs(first.cost, clock.now()));
  }
}
