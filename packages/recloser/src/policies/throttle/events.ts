/** A call was refused. */
export interface ThrottleRejection {
  readonly policy: string;
  readonly key: string | undefined;
  /** How likely the refusal was, 0 … 1. */
  readonly probability: number;
}

/** What listeners get, by event. */
export interface ThrottleEvents {
  rejected: ThrottleRejection;
}

export const eventNames: readonly (keyof ThrottleEvents)[] = ['rejected'];
