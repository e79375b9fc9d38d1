import type { CircuitState } from 'recloser';
import type { Deed } from '../actions/order.ts';

/** What became of an order in one instance. */
export interface Outcome {
  readonly instance: string;
  readonly done: boolean;
  readonly from?: CircuitState | undefined;
  readonly to?: CircuitState | undefined;
  /** Why it was not done. */
  readonly trouble?: string | undefined;
}

/** What is told of every order, done or refused: keep it where such things are kept. */
export interface Audit {
  /** Epoch ms. */
  readonly at: number;
  /** Whom `authorize` knows; `undefined` without it. */
  readonly user: string | undefined;
  /** The name that was typed on the page, or for whom a peer says it asks. Nobody has checked it: anyone can claim any. */
  readonly claimedBy: string | undefined;
  readonly remoteAddress: string | undefined;
  readonly action: Deed | undefined;
  readonly breaker: string | undefined;
  readonly reason: string | undefined;
  readonly expiresInMs: number | undefined;
  readonly outcomes: readonly Outcome[];
  /** Why nothing was done at all. */
  readonly refused?: string | undefined;
}
