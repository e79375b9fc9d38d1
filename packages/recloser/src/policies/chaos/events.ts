/** What is done to a call. */
export type Injection = 'behaviour' | 'latency' | 'fault' | 'outcome';

/** Something is done to a call; told before it is. */
export interface Injected {
  readonly policy: string;
  readonly key: string | undefined;
  readonly injection: Injection;
}

/** Who changes what, and why. */
export interface Switched {
  readonly policy: string;
  readonly by: string | undefined;
  readonly reason: string | undefined;
}

/** It was switched on. */
export interface Enabled extends Switched {
  /** How long for; Infinity until it is switched off. */
  readonly expiresInMs: number;
}

/** Options were changed. */
export interface ChaosUpdated {
  readonly policy: string;
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
