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

/** Whose call it is. */
export type ChaosCaller = Pick<CallContext, 'key' | 'context'>;

/** What may be changed at run time. */
export interface ChaosChanges<Answer = unknown> {
  /** The share of calls that something is done to, from 0 to 1. A number, so that no call can raise it. */
  readonly rate?: number | undefined;
  /** Which calls it may be; default: all, but none where it throws. */
  readonly when?: ((caller: ChaosCaller) => boolean) | undefined;
  /** What they fail with: a `ChaosError`, or what the function answers or throws, a promise too. */
  readonly fault?: boolean | ((caller: ChaosCaller) => unknown) | undefined;
  /** How much longer they take, at least 0 ms. */
  readonly latencyMs?: number | ((caller: ChaosCaller) => number) | undefined;
  /** What they are answered with, in place of the function. */
  readonly outcome?: ((context: CallContext) => Answer | PromiseLike<Answer>) | undefined;
  /** What is run before them; the call fails with what it throws. */
  readonly behaviour?: ((context: CallContext) => unknown) | undefined;
}

/** Options of `chaos`. */
export interface ChaosOptions<Answer = unknown>
  extends ChaosChanges<Answer>,
    PolicyOptions,
    ListenerOptions<ChaosEvents> {
  readonly rate: number;
  /** Whether it begins at once; default false. */
  readonly enabled?: boolean | undefined;
}

/** Who switches it, and why. */
export interface SwitchOptions {
  readonly by?: string | undefined;
  readonly reason?: string | undefined;
}

/** And for how long. */
export interface EnableOptions extends SwitchOptions {
  /** It switches itself off after so long, from 1 ms; default never. */
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

/** A copy that knows only what was said: what a polluted prototype says may come from anybody. */
const own = <T extends object>(...said: readonly object[]): T => Object.assign(Object.create(null), ...said);
/** The same of what was given, if that is an object: what is none is left to be refused. */
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
