/** A call waits for work that another call has begun. */
export interface Joined {
  readonly policy: string;
  readonly key: string;
  /** How many calls wait for it now, this one included. */
  readonly waiting: number;
}

/** Every call that waited for some work was aborted, so the work was called off. */
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
