import { duration, read } from '../../core/check.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { eventNames, type TimeoutEvents } from './events.ts';

/** Options of `timeout`. */
export interface TimeoutOptions extends PolicyOptions, ListenerOptions<TimeoutEvents> {
  /** How long one call may take: 1 … 2^31 − 1 ms. */
  readonly timeoutMs: number;
}

/** The options, checked. */
export interface TimeoutSettings extends PolicyOptions {
  readonly timeoutMs: number;
}

const known = policyOptions(eventNames, { timeoutMs: duration });

export const readOptions = (options: TimeoutOptions | number): TimeoutSettings =>
  read('timeout', typeof options === 'number' ? { timeoutMs: options } : options, known);
