import type { CircuitState } from 'recloser';
import type { Plan } from './plan.ts';

/** One change of a breaker's state, at a moment of the recording. */
export interface TransitionReport {
  readonly atMs: number;
  readonly from: string;
  readonly to: string;
  readonly why: string;
}

/**
 * What became of the calls to one dependency: `calls` = `ok` + `failures` + `refused`. Times are what callers spent, in
 * the recording's milliseconds; calls without an answer count as failures with their time so far.
 */
export interface DependencyReport {
  readonly name: string;
  readonly calls: number;
  readonly ok: number;
  readonly failures: number;
  readonly refused: number;
  /** How often the breaker opened. */
  readonly opened: number;
  readonly timeSpentMs: number;
  /** The same calls without a breaker. */
  readonly bareTimeSpentMs: number;
  readonly bareFailures: number;
  readonly transitions: readonly TransitionReport[];
}

/** Where a dependency stands at this moment, for the live view. */
export interface LiveState {
  readonly state: CircuitState;
  readonly waiting: number;
  readonly bareWaiting: number;
}

export interface Snapshot {
  readonly atMs: number;
  readonly dependencies: readonly DependencyReport[];
  readonly live: readonly LiveState[];
}

/** The document that `--json` prints. */
export interface Report extends Pick<Plan, 'speed' | 'fromMs' | 'toMs'> {
  readonly trace: string;
  readonly seed: number;
  readonly dependencies: readonly DependencyReport[];
}
