import { Check } from '../../core/check.ts';
import { type Basics, type ListenerOptions, type PolicyOptions, readBasics } from '../../core/policy-options.ts';
import { longestTimerMs } from '../../core/time/clock.ts';
import { eventNames, type TimeoutEvents } from './events.ts';

/** Options of `timeout`. */
export interface TimeoutOptions extends PolicyOptions, ListenerOptions<TimeoutEvents> {
  /** How long one call may take: 1 … 2^31 − 1 ms. */
  readonly timeoutMs: number;
}

/** The options, checked and complete. */
export interface TimeoutSettings {
  readonly basics: Basics;
  readonly given: Record<string, unknown>;
  readonly timeoutMs: number;
}

export function readOptions(options: TimeoutOptions | number): TimeoutSettings {
  const check = new Check('timeout');
  const record = typeof options === 'number' ? { timeoutMs: options } : (options ?? null);
  const { given, basics } = readBasics(check, 'timeout', record, ['timeoutMs'], eventNames);
  const timeoutMs = check.number('timeoutMs', given.timeoutMs, [1, longestTimerMs]);
  check.done();
  return { basics, given, timeoutMs };
}
