import type { Order } from '../actions/order.ts';
import type { Detail, Incident } from '../protocol/detail.ts';
import type { Snapshot } from '../protocol/messages.ts';
import type { Outcome } from '../protocol/outcome.ts';

/** What a page shows: breakers at work, or a recorded incident. */
export interface Source {
  readonly recorded: boolean;
  /** Everything, or what is of this instance and not of its peers. */
  snapshot(own: boolean): Snapshot;
  /** One breaker of one instance; without a name, of the first instance that has it, this one before others. */
  detail(id: string, instance: string | undefined): Promise<Detail | undefined>;
  /** One breaker in all instances, or all that are not closed, the worst first, or have a history: fifty of them at most. */
  incident(id: string | undefined): Promise<Incident>;
  perform(order: Order, by: string): Promise<Outcome[]>;
  close(): void;
}
