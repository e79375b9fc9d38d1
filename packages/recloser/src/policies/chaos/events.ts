/** What `chaos` does to a call. */
export type Injection = 'behaviour' | 'latency' | 'fault' | 'outcome';

/** Something is about to be done to a call. */
export interface Injected {
  readonly policy: string;
  readonly key: string | undefined;
  readonly injection: Injection;
}

/** It was switched off, or on. */
export interface Switched {
  readonly policy: string;
  readonly by: string | undefined;
  readonly reason: string | undefined;
}

/** It was switched on. */
export interface Enabled extends Switched {
  /** For how long; Infinity if until it is switched off. */
  readonly expiresInMs: number;
}

/** `update` changed options. */
export interface ChaosUpdated {
  readonly policy: string;
  /** The names of the options. */
  readonly changed: readonly string[];
}

/** What listeners get, by event. */
export interface ChaosEvents {
  injected: Injected;
  enabled: Enabled;
  disabled: Switched;
  updated: ChaosUpdated;
}

export const eventNames: readonly (keyof ChaosEvents)[] = ['injected', 'enabled', 'disabled', 'updated'];
