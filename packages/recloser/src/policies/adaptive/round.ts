/** What the calls of one round showed. */
export interface Round {
  /** The limit they ran under. */
  readonly limit: number;
  /** How many were at work at a time, on average; by Little's law their throughput is this divided by `latencyMs`. */
  readonly concurrency: number;
  /** How long those took that succeeded, on average; 0 if none did. */
  readonly latencyMs: number;
  /** The share of those that failed. */
  readonly failureRate: number;
  /** Whether the limit was reached at any time. */
  readonly reached: boolean;
}

/** Decides, after each round, how many calls may be at work. The policy keeps the answer within its bounds. */
export type LimitRule = (round: Round) => number;

/** The calls that were admitted since the last change. */
export class Tally {
  admitted = 0;
  /** Of all admissions, how many were at work then. */
  atWork = 0;
  succeeded = 0;
  failed = 0;
  latencyMs = 0;
  reached = false;

  round(limit: number): Round {
    const { admitted, atWork, succeeded, failed, latencyMs, reached } = this;
    return {
      limit,
      concurrency: atWork / admitted,
      latencyMs: succeeded && latencyMs / succeeded,
      failureRate: failed / (succeeded + failed),
      reached,
    };
  }
}
