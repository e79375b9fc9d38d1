import type { CallContext } from '../../core/call/context.ts';
import { callback, count, duration, flag, number, oneOf, type Reader, read } from '../../core/check.ts';
import {
  type Basics,
  basicsOf,
  type ListenerOptions,
  type PolicyOptions,
  policyOptions,
} from '../../core/policy-options.ts';
import { type BulkheadEvents, eventNames } from './events.ts';

/** How urgent a call is, by whose it is: the higher goes first, equals in the order they came. 0 if it throws or is no number. */
export type Priority = (caller: Pick<CallContext, 'key' | 'context'>) => number;

/** Options of `bulkhead`. */
export interface BulkheadOptions extends PolicyOptions, ListenerOptions<BulkheadEvents> {
  /** Calls at work at a time, from 1. */
  readonly maxConcurrent: number;
  /** Calls that may wait for a place, 0 … 1,000,000; 0 unless said. */
  readonly maxQueue?: number | undefined;
  /** How long a call may wait, from 1 ms; without it as long as its caller does. */
  readonly queueTimeoutMs?: number | undefined;
  /** Who goes first among those that wait. */
  readonly priority?: Priority | undefined;
  /** When a call that ended early, by a timeout or its caller, gives its place back: when its work ends (the default), or at once. */
  readonly release?: 'on-settle' | 'on-timeout' | undefined;
  /** With `on-settle`, how long after its end a call may hold its place, from 1 ms; 60,000 unless said. */
  readonly abandonAfterMs?: number | undefined;
  /** Whether refusals carry a stack trace; false unless said. */
  readonly captureStacks?: boolean | undefined;
}

/** The options, checked and complete. */
export interface BulkheadSettings {
  readonly basics: Basics;
  readonly given: Record<string, unknown>;
  readonly maxConcurrent: number;
  readonly maxQueue: number;
  /** 0: no limit. */
  readonly queueTimeoutMs: number;
  readonly priority: Priority | undefined;
  readonly releaseOnTimeout: boolean;
  readonly abandonAfterMs: number;
  readonly captureStacks: boolean;
}

const known = policyOptions(
  eventNames,
  { maxConcurrent: count },
  {
    maxQueue: number(0, 1_000_000, true),
    queueTimeoutMs: duration,
    priority: callback as Reader<Priority>,
    release: oneOf('on-settle', 'on-timeout'),
    abandonAfterMs: duration,
    captureStacks: flag,
  },
);

export function readOptions(options: BulkheadOptions): BulkheadSettings {
  const given = read('bulkhead', options, known);
  const { maxConcurrent, maxQueue = 0, queueTimeoutMs = 0, priority, abandonAfterMs = 60_000 } = given;
  return {
    basics: basicsOf('bulkhead', given),
    given,
    maxConcurrent,
    maxQueue,
    queueTimeoutMs,
    priority,
    releaseOnTimeout: given.release === 'on-timeout',
    abandonAfterMs,
    captureStacks: given.captureStacks ?? false,
  };
}
