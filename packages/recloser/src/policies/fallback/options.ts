import type { CallContext } from '../../core/call/context.ts';
import { callback, type Reader, read } from '../../core/check.ts';
import { taken } from '../../core/fallback.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { eventNames, type FallbackEvents } from './events.ts';

/** Whether to answer in place of this error. */
export type Answerable = (error: unknown, caller: Pick<CallContext, 'key' | 'context'>) => boolean;

/** Options of `fallback`. */
export interface FallbackOptions extends PolicyOptions, ListenerOptions<FallbackEvents> {
  /** Which errors to answer in place of; by default, and where this throws, every one. */
  readonly when?: Answerable | undefined;
}

/** The options, checked and complete. */
export interface FallbackSettings extends PolicyOptions {
  readonly answer: unknown;
  readonly when?: Answerable;
}

const known = policyOptions(eventNames, {}, { when: callback as Reader<Answerable> });

export function readOptions(answer: unknown, options: FallbackOptions): FallbackSettings {
  const given = read('fallback', options, (value, path, fault) => {
    // Most likely a misspelt name, and it would hide every error.
    if (answer === undefined) fault('the answer', 'a value, a function, a list of them or lastGood()', answer);
    return known(value, path, fault);
  });
  return { ...given, answer: taken(answer) };
}
