import { allOptions, breakerOptions, type CircuitBreakerOptions, optionChanges, overlay } from '../breaker/options.ts';
import { asked } from '../core/asked.ts';
import { count, duration, list, number, optionsOf, type Reader, type Readers, share } from '../core/check.ts';
import {
  type Basics,
  type Given,
  type ListenerOptions,
  type PolicyOptions,
  policyOptions,
} from '../core/policy-options.ts';
import { eventNames, type RegistryEvents } from './events.ts';
import { type RegistrySnapshot, written } from './snapshot.ts';

/** What breakers are made with: the options of `circuitBreaker`, except `name` and `restore`, which are each breaker's own. */
export type MemberOptions = Omit<CircuitBreakerOptions, 'name' | 'restore'>;

/** Options for some of the breakers, by name. */
export interface MemberOverride {
  /** The name itself, a pattern, or a function of the name. */
  readonly match: string | RegExp | ((name: string) => boolean);
  readonly options: MemberOptions;
}

/** What would limit or answer calls: that is for the breakers of the keys, or for policies around the registry. */
type OfCalls = 'timeoutMs' | 'maxConcurrent' | 'release' | 'abandonAfterMs' | 'fallback';

/** When the breaker over all keys opens; the rest is as in `circuitBreaker`. It may refuse calls, and does nothing else to them. */
export interface ParentOptions extends Omit<CircuitBreakerOptions, 'trip' | 'failureThreshold' | 'restore' | OfCalls> {
  /** Which share of the keys in use must be open, above 0 up to 1; default 0.5. */
  readonly threshold?: number | undefined;
  /** How many keys must be open besides, from 1; default 5. */
  readonly minimumOpen?: number | undefined;
  /** A key is in use if it had a call in this window or the one before, from 1 ms; default 60,000. */
  readonly windowMs?: number | undefined;
}

/** Options of `registry`. */
export interface RegistryOptions extends PolicyOptions, ListenerOptions<RegistryEvents> {
  /** What all breakers are made with. */
  readonly defaults?: MemberOptions | undefined;
  /** Laid over the defaults for the names that match; of several that match, the later wins. */
  readonly overrides?: readonly MemberOverride[] | undefined;
  /** How many breakers are kept, besides `_overflow`: 1 … 1,000,000; default 10,000. */
  readonly maxEntries?: number | undefined;
  /** A breaker over all keys, which opens when many of them are open; by default there is none. */
  readonly parent?: ParentOptions | undefined;
  /** What `toJSON()` wrote, in this process or another. */
  readonly restore?: RegistrySnapshot | undefined;
}

/** With its pattern made a function. */
export interface CheckedOverride extends MemberOverride {
  readonly match: (name: string) => boolean;
}

interface Changeable {
  readonly defaults?: MemberOptions;
  readonly overrides?: readonly CheckedOverride[];
}

type Own = Changeable & Pick<RegistryOptions, 'maxEntries' | 'parent' | 'restore'>;

const memberOptions: Reader<MemberOptions> = (value, path, fault) => {
  const { name, restore, ...options } = breakerOptions(value, path, fault);
  if (name ?? restore) fault(`${path}: name and restore`, 'absent: they are the own of each', name ?? restore);
  return options;
};

const match: Reader<(name: string) => boolean> = (value, path, fault) => {
  if (typeof value === 'string') return (name) => name === value;
  // `search` minds neither `lastIndex` nor the flag g, with which `test` answers by turns.
  if (value instanceof RegExp) return (name) => name.search(value) >= 0;
  if (typeof value !== 'function') fault(path, 'a name, a RegExp or a function', value);
  return value as (name: string) => boolean;
};

/** What a parent knows of the options of a breaker, under way too. */
export const ofParent = (own: object = {}): Reader<ParentOptions> => {
  const { trip, failureThreshold, restore, timeoutMs, maxConcurrent, release, abandonAfterMs, fallback, ...others } =
    allOptions;
  return optionsOf<object, ParentOptions>({}, { ...others, ...own } as Readers<ParentOptions>);
};

const parent: Reader<ParentOptions> = (value, path, fault) =>
  ofParent({ threshold: share, minimumOpen: count, windowMs: duration })(value, path, fault);

const ofMembers = (options: Reader<MemberOptions>): Readers<Changeable> => ({
  defaults: options,
  overrides: list(optionsOf({ match, options })),
});

// Functions, made when they are needed: ready-made readers here would be part of every bundle.

/** What can be changed under way. */
export const changes: Reader<Changeable> = (value, path, fault) =>
  optionsOf<object, Changeable>({}, ofMembers(optionChanges))(value, path, fault);

export const known: Reader<Given<Own>> = (value, path, fault) => {
  const own = { ...ofMembers(memberOptions), maxEntries: number(1, 1_000_000, true), parent, restore: written };
  return policyOptions<object, Own>(eventNames, {}, own)(value, path, fault);
};

/** What a breaker of this name is made with; the very `defaults` where nothing matches. */
export function optionsFor(
  name: string,
  defaults: CircuitBreakerOptions,
  overrides: readonly CheckedOverride[],
  policy: Basics,
): CircuitBreakerOptions {
  const matches = ({ match }: CheckedOverride): boolean => asked(policy, 'match', () => match(name), false);
  return overrides.filter(matches).reduce((under, { options }) => overlay(under, options), defaults);
}
