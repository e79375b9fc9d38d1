import { retryAfterOf, type Traffic } from '../traffic.ts';
import type { Ticket } from './ticket.ts';

/** Leave to do work that is no promise: streams, consumers, interceptors. It is settled once; what comes later is passed over. */
export interface Permit {
  /** `ms`: how long it took, measured from `acquire` unless said. */
  success(ms?: number): void;
  failure(error?: unknown, ms?: number): void;
  /** It says nothing about the dependency: the permit goes back and decides nothing. */
  ignore(): void;
}

export class AcquiredPermit implements Permit {
  readonly key = undefined;
  readonly context = undefined;
  readonly #traffic: Traffic;
  readonly #ticket: Ticket;
  readonly #startedAt: number;
  #holdsPlace: boolean;
  #settled = false;

  constructor(traffic: Traffic, ticket: Ticket, holdsPlace: boolean) {
    this.#traffic = traffic;
    this.#ticket = ticket;
    this.#holdsPlace = holdsPlace;
    this.#startedAt = traffic.stamp();
  }

  success(ms?: number): void {
    if (this.#settle()) this.#traffic.settle(this.#ticket, this, 'success', undefined, this.#start(ms), 0);
  }

  failure(error?: unknown, ms?: number): void {
    if (this.#settle())
      this.#traffic.settle(this.#ticket, this, 'failure', error, this.#start(ms), retryAfterOf(error));
  }

  ignore(): void {
    if (this.#settle()) this.#traffic.settle(this.#ticket, this, 'ignored', undefined, this.#startedAt, 0);
  }

  #start(ms: number | undefined): number {
    return typeof ms === 'number' && ms >= 0 ? this.#traffic.settings.clock.now() - ms : this.#startedAt;
  }

  #settle(): boolean {
    if (this.#settled) return false;
    this.#settled = true;
    if (this.#holdsPlace) this.#traffic.leavePlace();
    this.#holdsPlace = false;
    return true;
  }
}
