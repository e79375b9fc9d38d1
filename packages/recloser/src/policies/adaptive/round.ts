/** What one round of calls showed. */
export interface Round {
  /** The limit they ran under. */
  readonly limit: number;
  /** How many calls were at work at a time, on average. By Little's law, throughput is this divided by `latencyMs`. */
  readonly concurrency: number;
  /** How long the calls that succeeded took on average; 0 if none did. */
  readonly latencyMs: number;
  /** The share of calls that failed, 0 … 1; ignored calls are left out. */
  readonly failureRate: number;
  /** Whether the limit was reached at any moment. */
  readonly reached: boolean;
}

/** Decides after each round how many calls may be at work. The policy keeps the answer between `minLimit` and `maxLimit`. */
export type LimitRule = (round: Round) => number;

/** The calls admitted since the round began. */
export class Tally {
  admitted = 0;
  /** The sum, over all admissions, of how many calls were at work at that moment. */
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
