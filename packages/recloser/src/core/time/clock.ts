/**
 * Where a policy gets its time and its timers from. The default is that of the system;
 * `manualClock()` of `recloser/testing` is another.
 *
 * `now` must be monotonic and in milliseconds; its zero means nothing. `setTimeout` may hand out any kind of handle.
 */
export interface Clock {
  /** Milliseconds since any fixed moment; never runs backwards. */
  now(): number;
  /** Runs the callback once, never early; returns a handle. */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Cancels a timer; an unknown handle, or one whose timer has fired, is ignored. */
  clearTimeout(handle: unknown): void;
}

/** Timers longer than this fire at once in every JavaScript runtime: 2^31 − 1 ms, 24.8 days. */
export const longestTimerMs: number = 2 ** 31 - 1;

const globals = globalThis as {
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly navigator?: { readonly userAgent?: string };
};
const [set, clear, immediate, date, own] = [setTimeout, clearTimeout, globals.setImmediate, Date, performance];
/** Apart from `own`: fakes (sinon's) put theirs in the place of this method as well. */
const { now: ownNow } = own;

let world: object = own;
let ahead = 0;
let passed = 0;
let last = 0;
/** The system's `setTimeout`, until fakes have let time pass. (To add what has passed is 3 % of a call that reads the clock.) */
let untouched: typeof set | undefined = set;
/**
 * The time by fakes, which stood at `startMs` when they came, goes on where that of the system stood, and that of the system where they
 * left it: whatever outlives one of them would wait for as long as the other was behind. So it does when they begin anew, as to clear all
 * their timers makes them. Whole milliseconds, as their timers tell.
 */
function faked(fakes: { now(): number }, startMs: number): number {
  const real = ownNow.call(own) + passed;
  const told = fakes.now();
  if (world !== fakes || told < last) ahead = Math.ceil(real - startMs);
  world = fakes;
  last = told;
  const now = told + ahead;
  passed += Math.max(0, now - real);
  untouched = undefined;
  return now;
}

/** (Apart from the way of a call, so that V8 compiles that into one piece.) */
function amongFakes(): number {
  if (performance !== own) return faked(performance, 0);
  // Fake timers that leave `performance` as it is (those of `node:test`, others by their options) tell their time by `Date`, from
  // whatever date. One that is faked alone tells none, nor does the real one where somebody (Sentry) has wrapped `setTimeout`: it may be set.
  return setTimeout !== set && Date !== date ? faked(Date, Date.now()) : own.now() + passed;
}

/**
 * The monotonic clock of the system (`performance.now`), untouched by steps of the wall clock. All globals are read at
 * each call, so that fake timers installed later, or taken off again, are the ones used.
 *
 * `performance` itself is read only where others are no longer what they were: in Node it is a getter. (Measured: a tenth of a call with
 * a time window. Those two are looked up for nothing.)
 */
export const systemClock: Clock = {
  now() {
    return setTimeout === untouched && Date === date ? own.now() : amongFakes();
  },
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

/** What deadlines are kept with. */
export interface Timers extends Pick<Clock, 'setTimeout' | 'clearTimeout'> {
  /** Runs a callback once this turn of the event loop is over; absent where turns have no end, or none that counts. */
  endOfTurn?(callback: () => void): void;
}

/** On Cloudflare's workers a timer dies with the request that armed it: none may serve others. */
const perRequest = globals.navigator?.userAgent?.startsWith('Cloudflare');

/** Called as they are: runtimes look at `this`. */
const native: Timers | undefined =
  immediate === undefined || perRequest
    ? undefined
    : {
        setTimeout: (callback, ms) => set(callback, ms),
        clearTimeout: (handle) => clear(handle as ReturnType<typeof setTimeout>),
        endOfTurn: (callback) => immediate(callback),
      };

/** The runtime's own timers, where they have an end of turn (Node, Bun, Deno) and nobody has put others in their place. */
export const nativeTimers = (): Timers | undefined =>
  set === setTimeout && immediate === globals.setImmediate ? native : undefined;

/** A timer that does not hold the process, where there is such a thing. */
export const unref = (handle: unknown): void => (handle as { unref?(): void } | undefined)?.unref?.();

/** Epoch milliseconds, for display only: no decision reads it. */
export const wallTime = (): number => Date.now();

/** The default of every `random` option. */
export const systemRandom = (): number => Math.random();
