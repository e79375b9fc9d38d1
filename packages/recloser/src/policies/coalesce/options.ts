import type { KeyOf } from '../../core/call/flights.ts';
import { callback, duration, type Reader, read } from '../../core/check.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { type CoalesceEvents, eventNames } from './events.ts';

/** Options of `coalesce`. */
export interface CoalesceOptions extends PolicyOptions, ListenerOptions<CoalesceEvents> {
  /** Calls with the same answer share their work; by default their `key`. Without a key, or where this throws, a call shares nothing. */
  readonly keyOf?: KeyOf | undefined;
  /** How long others may join work after it has begun, from 1 ms; default 10,000. Calls that come later begin anew. */
  readonly joinForMs?: number | undefined;
}

/** The options, checked and complete. */
export interface CoalesceSettings extends PolicyOptions {
  readonly keyOf?: KeyOf;
  readonly joinForMs: number;
}

const known = policyOptions(eventNames, {}, { keyOf: callback as Reader<KeyOf>, joinForMs: duration });

export const readOptions = (options: CoalesceOptions): CoalesceSettings => ({
  joinForMs: 10_000,
  ...read('coalesce', options, known),
});
