import { duration, read } from '../../core/check.ts';
import {
  type Basics,
  basicsOf,
  type ListenerOptions,
  type PolicyOptions,
  policyOptions,
} from '../../core/policy-options.ts';
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

const known = policyOptions(eventNames, { timeoutMs: duration });

export function readOptions(options: TimeoutOptions | number): TimeoutSettings {
  const given = read('timeout', typeof options === 'number' ? { timeoutMs: options } : options, known);
  return { basics: basicsOf('timeout', given), given, timeoutMs: given.timeoutMs };
}
