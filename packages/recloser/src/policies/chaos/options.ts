import type { CallContext } from '../../core/call/context.ts';
import {
  also,
  callback,
  duration,
  type Fault,
  flag,
  isRecord,
  number,
  optionsOf,
  orFunction,
  read,
  text,
  wait,
} from '../../core/check.ts';
import { type ListenerOptions, type PolicyOptions, policyOptions } from '../../core/policy-options.ts';
import { type ChaosEvents, eventNames } from './events.ts';

/** What is known of a call: the `key` and the `context` it was given. */
export type ChaosCaller = Pick<CallContext, 'key' | 'context'>;

/** The options of `chaos` that `update` can change. At least one of `fault`, `latencyMs`, `outcome` and `behaviour`. */
export interface ChaosChanges<Answer = unknown> {
  /** The share of calls to harm, 0 … 1. A number and no function, so that no call can raise it. */
  readonly rate?: number | undefined;
  /** Which calls may be harmed; by default all, and not those for which it throws. */
  readonly when?: ((caller: ChaosCaller) => boolean) | undefined;
  /** What they fail with: `true` for a `ChaosError`, or what the function returns or throws, be it by a promise. Not beside `outcome`. */
  readonly fault?: boolean | ((caller: ChaosCaller) => unknown) | undefined;
  /** How much longer they take: 0 … 2^31 − 1 ms, or a function of the call. */
  readonly latencyMs?: number | ((caller: ChaosCaller) => number) | undefined;
  /** What they are answered with; the protected function is not called. Not beside `fault`. */
  readonly outcome?: ((context: CallContext) => Answer | PromiseLike<Answer>) | undefined;
  /** What to run before them; the call fails with what it throws. */
  readonly behaviour?: ((context: CallContext) => unknown) | undefined;
}

/** Options of `chaos`. */
export interface ChaosOptions<Answer = unknown>
  extends ChaosChanges<Answer>,
    PolicyOptions,
    ListenerOptions<ChaosEvents> {
  readonly rate: number;
  /** Whether it is enabled from the start; default false. */
  readonly enabled?: boolean | undefined;
}

/** Who switches it, and why, for events and logs. */
export interface SwitchOptions {
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** Who switches it on, why, and for how long. */
export interface EnableOptions extends SwitchOptions {
  /** After how long it switches itself off, from 1 ms; by default never. */
  readonly expiresInMs?: number | undefined;
}

/** What is done to which calls. */
export interface Plan extends ChaosChanges {
  readonly rate: number;
}

/** The options, checked. */
export type ChaosSettings = Plan & PolicyOptions & { readonly enabled: boolean };

const rate = number(0, 1);
/** (A function: bundlers shake off its call, a spread they keep.) */
/*@__NO_SIDE_EFFECTS__*/
const injections = <Own extends object>(own: Own) => ({
  when: callback,
  fault: orFunction(flag),
  latencyMs: orFunction(wait),
  outcome: callback,
  behaviour: callback,
  ...own,
});

function makesSense({ fault: error, latencyMs, outcome, behaviour }: ChaosChanges, fault: Fault): void {
  if (error && outcome) fault('outcome', 'left out beside fault', outcome);
  if (!(error || outcome || behaviour) && latencyMs === undefined) {
    fault('fault', 'given, or latencyMs, outcome or behaviour', error, false);
  }
}

const known = also(policyOptions(eventNames, { rate }, injections({ enabled: flag })), makesSense);

/** A copy without a prototype: what a polluted one says may come from anybody. */
const own = <T extends object>(...said: readonly object[]): T => Object.assign(Object.create(null), ...said);
/** The same of what was given, if that is an object; anything else is left for the reader to refuse. */
const given = <T extends object>(said: T): T => (isRecord(said) ? own(said) : said);

export const readOptions = (options: ChaosOptions): ChaosSettings =>
  own({ enabled: false }, read('chaos', given(options), known));

/** The plan as it is after an update, and what was changed. */
export function readChanges(
  changes: ChaosChanges,
  before: Plan,
): { readonly plan: Plan; readonly changed: readonly string[] } {
  const reader = optionsOf<object, ChaosChanges>({}, { rate, ...injections({}) });
  const taken = read(
    'update',
    given(changes),
    also(reader, (now, fault) => makesSense({ ...before, ...now }, fault)),
  );
  return { plan: own(before, taken), changed: Object.keys(taken) };
}

const disabling = optionsOf<object, SwitchOptions>({}, { by: text, reason: text });
const enabling = optionsOf<object, EnableOptions>({}, { by: text, reason: text, expiresInMs: duration });

export const readEnable = (options: EnableOptions): EnableOptions => read('enable', given(options), enabling);
export const readDisable = (options: SwitchOptions): SwitchOptions => read('disable', given(options), disabling);
