import type { Action, CircuitState, Evidence } from 'recloser';

/** Something that happened to a breaker. */
export interface Entry {
  /** Epoch ms. */
  readonly at: number;
  readonly id: string;
  readonly from: CircuitState;
  readonly to: CircuitState;
  /** The breaker changed its state by itself, somebody set or released it, or its options were changed. */
  readonly kind: 'transition' | 'action' | 'update';
  /** Of a transition: the evidence, in words and in figures, and how long the circuit sleeps if it opened. */
  readonly why?: string | undefined;
  readonly evidence?: Evidence | undefined;
  readonly sleepMs?: number | undefined;
  /** Of a transition: the trace of the call that it happened in. */
  readonly traceId?: string | undefined;
  /** Of an action: what was done, by whom, why and for how long. */
  readonly action?: Action['action'] | undefined;
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
  readonly expiresInMs?: number | undefined;
  /** Of an update: the options that were changed. */
  readonly changed?: readonly string[] | undefined;
}
