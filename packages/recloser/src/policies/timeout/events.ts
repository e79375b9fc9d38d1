/** A call took too long. */
export interface TimedOut {
  readonly policy: string;
  readonly key: string | undefined;
  readonly timeoutMs: number;
}

/** The work of a call settled after the call had timed out. */
export interface LateResult {
  readonly policy: string;
  /** Whether the work succeeded. */
  readonly ok: boolean;
}

/** What listeners get, by event. */
export interface TimeoutEvents {
  'timed-out': TimedOut;
  late: LateResult;
}

export const eventNames: readonly (keyof TimeoutEvents)[] = ['timed-out', 'late'];
