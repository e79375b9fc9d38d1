/** A call waits for work that another has begun. */
export interface Joined {
  readonly policy: string;
  readonly key: string;
  /** How many wait for it now, this one included. */
  readonly waiting: number;
}

/** Everybody who waited for some work has left, and it was called off. */
export interface CalledOff {
  readonly policy: string;
  readonly key: string;
}

/** What listeners get, by event. */
export interface CoalesceEvents {
  joined: Joined;
  'called-off': CalledOff;
}

export const eventNames: readonly (keyof CoalesceEvents)[] = ['joined', 'called-off'];
