import { retryAfterOf, type Verdict } from '../../core/outcome.ts';
import type { Places } from '../../core/places.ts';
import type { Traffic } from '../traffic.ts';
import type { Ticket } from './ticket.ts';

/** Permission to do work that is no promise: streams, consumers, interceptors. It is settled once; later calls do nothing. */
export interface Permit {
  /** `ms`: how long it took, 0 or more; default: measured from `acquire`. */
  success(ms?: number): void;
  /** The error's own `retryAfterMs` lengthens the sleep window, as in `execute`. `ms` as in `success`. */
  failure(error?: unknown, ms?: number): void;
  /** It says nothing about the dependency: the permit goes back and decides nothing. */
  ignore(): void;
}

export class AcquiredPermit implements Permit {
  readonly #traffic: Traffic;
  readonly #ticket: Ticket;
  readonly #startedAt: number | undefined;
  readonly #places: Places | undefined;
  #settled = false;

  constructor(traffic: Traffic, ticket: Ticket, places: Places | undefined) {
    this.#traffic = traffic;
    this.#ticket = ticket;
    this.#places = places;
    this.#startedAt = traffic.stamp();
  }

  success(ms?: number): void {
    this.#settle('success', undefined, ms);
  }

  failure(error?: unknown, ms?: number): void {
    this.#settle('failure', error, ms);
  }

  ignore(): void {
    this.#settle('ignored');
  }

  #settle(verdict: Verdict, error?: unknown, ms?: number): void {
    if (this.#settled) return;
    this.#settled = true;
    if (this.#places === undefined) this.#traffic.unplace();
    else if (this.#ticket.probe === 0) this.#places.release();
    const givenMs = typeof ms === 'number' && ms >= 0 && ms < Infinity ? ms : undefined;
    this.#traffic.settle(
      this.#ticket,
      undefined,
      verdict,
      error,
      this.#startedAt,
      retryAfterOf(error),
      'settled',
      givenMs,
    );
  }
}
