import type { CallContext } from '../../core/call/context.ts';
import { Deadline } from '../../core/time/timers.ts';

/** Whose call it is, for the classifier, the fallback and the events. */
export type Caller = Partial<Pick<CallContext, 'key' | 'context'>>;

/** What a call was admitted as; its result is told under it. */
export interface Ticket {
  /** 0: counted, but a sample of no state. */
  readonly generation: number;
  /** 0: no probe. */
  readonly probe: number;
}

/** Tells a ticket from a refusal. (`instanceof` would ask the brand: a tenth of the price of a call.) */
export const isTicket = (answer: Ticket | Error): answer is Ticket => 'probe' in answer;

/** Of a call that passes only because a state was set: it is counted, and decides nothing. */
export const passing: Ticket = { generation: 0, probe: 0 };

/** The same, of one that would have been refused but for observe-only. */
export const shadowed: Ticket = { generation: 0, probe: 0 };

/** Of a call while disabled. */
export const uncounted: Ticket = { generation: 0, probe: 0 };

/** Who takes up results. */
interface Settler {
  succeeded(ticket: Ticket, startedAt: undefined): boolean;
  ended(ticket: Ticket, caller: undefined, ok: boolean, result: unknown): void;
}

/** The handlers of all calls of one closed generation that nothing ends early: such a call keeps nothing of its own. */
export class Epoch implements Ticket {
  readonly generation: number;
  readonly onFulfilled: <T>(value: T) => T;
  readonly onRejected: (error: unknown) => never;

  constructor(generation: number, traffic: Settler) {
    this.generation = generation;
    this.onFulfilled = (value) => {
      if (!traffic.succeeded(this, undefined)) traffic.ended(this, undefined, true, value);
      return value;
    };
    this.onRejected = (error) => {
      traffic.ended(this, undefined, false, error);
      throw error;
    };
  }

  get probe(): number {
    return 0;
  }
}

/** The permit of one probe, as long as it is a lease with an end of its own. */
export class Lease extends Deadline implements Ticket {
  readonly generation: number;
  readonly probe: number;
  readonly due: () => void;

  constructor(generation: number, probe: number, due: () => void) {
    super();
    this.generation = generation;
    this.probe = probe;
    this.due = due;
  }
}
