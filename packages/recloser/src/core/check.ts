import { longestTimerMs } from './time/clock.ts';

/** Records a fault: where it is, what is allowed there, what was received, and whether even the type is wrong. */
export type Fault = (path: string, allowed: string, value: unknown, wrongType?: boolean) => void;

/** Checks one value and returns what is kept of it. After a fault the result means nothing: `read` throws. */
export type Reader<T = unknown> = (value: unknown, path: string, fault: Fault) => T;

/** A reader for each member. */
export type Readers<T> = { readonly [K in keyof T]-?: Reader<T[K]> };

/** Shows a received value so that similar ones can be told apart: `'5'`, `NaN`, `an array`. */
function show(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

export const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/**
 * Checks a value and reports all faults at once, each with its path, what is allowed and what was received.
 *
 * @throws TypeError if a value is of the wrong type, or an option unknown; else RangeError
 */
export function read<T>(of: string, value: unknown, reader: Reader<T>): T {
  let faults = '';
  let isTypeError = false;
  const taken = reader(value, '', (path, allowed, received, wrongType = true) => {
    isTypeError ||= wrongType;
    faults += `${faults && '; '}${path} must be ${allowed}, got ${show(received)}`;
  });
  if (faults) throw new (isTypeError ? TypeError : RangeError)(`${of}: ${faults}`);
  return taken;
}

// The annotations below tell bundlers that making a reader does nothing else: tables nobody asks for are shaken off.

/** For what another process wrote: any fault makes it a `TypeError`, for then it is not what it claims to be. */
/*@__NO_SIDE_EFFECTS__*/
export const stored =
  <T>(reader: Reader<T>): Reader<T> =>
  (value, path, fault) =>
    reader(value, path, (inside, allowed, received) => fault(inside, allowed, received));

/** A value of one of JavaScript's own types. */
/*@__NO_SIDE_EFFECTS__*/
const typed =
  <T>(type: string, allowed: string, fits = (_value: T): boolean => true): Reader<T> =>
  (value, path, fault) => {
    const isOfType = typeof value === type;
    if (!isOfType || !fits(value as T)) fault(path, allowed, value, !isOfType);
    return value as T;
  };

export const text: Reader<string> = typed('string', 'a string');
export const flag: Reader<boolean> = typed('boolean', 'a boolean');
/** Its parameters and its result can't be checked, so they are trusted. */
export const callback: Reader<never> = typed('function', 'a function');
/** Any value. */
export const anything: Reader<never> = (value) => value as never;

/*@__NO_SIDE_EFFECTS__*/
export const number = (lowest: number, highest: number, whole = false): Reader<number> =>
  typed('number', `${whole ? 'an integer' : 'a number'} from ${lowest} to ${highest}`, (value) => {
    return value >= lowest && value <= highest && !(whole && value % 1);
  });

/** A number of things, from 1. */
export const count: Reader<number> = number(1, 2 ** 31 - 1, true);
/** A duration in milliseconds, from 1. */
export const duration: Reader<number> = number(1, longestTimerMs);
/** A duration that may be 0. */
export const wait: Reader<number> = number(0, longestTimerMs);
/** From how many milliseconds on something is slow. */
export const slowness: Reader<number> = number(0.001, longestTimerMs);
/** A ratio above 0, up to 1. */
export const share: Reader<number> = number(Number.MIN_VALUE, 1);

/*@__NO_SIDE_EFFECTS__*/
export const oneOf = <T extends string>(...words: readonly T[]): Reader<T> =>
  typed('string', `one of '${words.join("', '")}'`, (word) => words.includes(word));

/** The same, or a function that answers it: what that says is checked when it is asked. */
/*@__NO_SIDE_EFFECTS__*/
export const orFunction =
  (reader: Reader): Reader<never> =>
  (value, path, fault) =>
    (typeof value === 'function' ? value : reader(value, path, fault)) as never;

/** The same, or `false` for none. */
/*@__NO_SIDE_EFFECTS__*/
export const orFalse =
  <T>(reader: Reader<T>): Reader<T | false> =>
  (value, path, fault) =>
    value === false ? value : reader(value, path, fault);

/** An object of the user's, checked for the few members that are used. */
/*@__NO_SIDE_EFFECTS__*/
export const having =
  (what: string, members: Record<string, 'function' | 'string'>): Reader<never> =>
  (value, path, fault) => {
    const given = value as Record<string, unknown> | null | undefined;
    const lacks = Object.keys(members).filter((key) => typeof given?.[key] !== members[key]);
    if (lacks.length > 0) fault(path, `${what} with ${lacks}`, value);
    return value as never;
  };

/** A list, of which the first `longest` members are kept. */
/*@__NO_SIDE_EFFECTS__*/
export const list =
  <T>(item: Reader<T>, longest: number = Infinity): Reader<T[]> =>
  (value, path, fault) => {
    if (Array.isArray(value)) return value.slice(0, longest).map((member) => item(member, path, fault));
    fault(path, 'a list', value);
    return [];
  };

/** A record, of which the members named here are kept; with `closed`, any other is a fault. `undefined` is absent. */
/*@__NO_SIDE_EFFECTS__*/
export const record = <Needed extends object, Optional extends object = object>(
  needed: Readers<Needed>,
  optional?: Readers<Optional>,
  closed = false,
): Reader<Needed & Partial<Optional>> => {
  const readers: Record<string, Reader> = { ...needed, ...optional };
  const known = Object.keys(readers);
  return (value, path, fault) => {
    const taken: Record<string, unknown> = {};
    if (!isRecord(value)) fault(path || 'options', 'an object', value);
    else {
      const inside = path && `${path}.`;
      for (const [key, reader] of Object.entries(readers)) {
        const member = value[key];
        if (member !== undefined || Object.hasOwn(needed, key)) taken[key] = reader(member, inside + key, fault);
      }
      for (const key in value) {
        if (!closed || known.includes(key) || value[key] === undefined) continue;
        fault(`unknown option ${inside}${key}`, `one of ${known.join(', ')}`, key);
      }
    }
    return taken as Needed & Partial<Optional>;
  };
};

/** Options: a record in which an unknown member is a fault. */
/*@__NO_SIDE_EFFECTS__*/
export const optionsOf = <Needed extends object, Optional extends object = object>(
  needed: Readers<Needed>,
  optional?: Readers<Optional>,
): Reader<Needed & Partial<Optional>> => record(needed, optional, true);

/** Adds a rule over several members. Unless `isSound` one of them was at fault: the rule may see what was given, but not compare it. */
/*@__NO_SIDE_EFFECTS__*/
export const also =
  <T>(reader: Reader<T>, rule: (taken: T, fault: Fault, isSound: boolean) => void): Reader<T> =>
  (value, path, fault) => {
    let isSound = true;
    const taken = reader(value, path, (...told) => {
      isSound = false;
      fault(...told);
    });
    if (isSound || isRecord(value)) {
      rule(taken, (inside, ...told) => fault(path + (path && '.') + inside, ...told), isSound);
    }
    return taken;
  };
