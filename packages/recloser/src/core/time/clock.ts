/**
 * Where a policy gets its time and its timers from. The one of the system is used unless an option says otherwise;
 * `manualClock()` of `recloser/testing` is another.
 *
 * `now` must be monotonic and in milliseconds; its zero means nothing. `setTimeout` may hand out any kind of handle.
 */
export interface Clock {
  /** Milliseconds since any fixed moment; never runs backwards. */
  now(): number;
  /** Runs the callback once, never early; answers a handle. */
  setTimeout(callback: () => void, ms: number): unknown;
  /** Calls a timer off; a handle that is unknown or used up is no fault. */
  clearTimeout(handle: unknown): void;
}

/** Timers longer than this fire at once in every JavaScript runtime: 2^31 − 1 ms, 24.8 days. */
export const longestTimerMs: number = 2 ** 31 - 1;

/**
 * The monotonic clock of the system (`performance.now`), untouched by steps of the wall clock. All globals are read at
 * each call, so that fake timers installed later, or taken off again, are the ones used.
 */
export const systemClock: Clock = {
  now: () => performance.now(),
  setTimeout: (callback, ms) => setTimeout(callback, ms),
  clearTimeout: (handle) => clearTimeout(handle as ReturnType<typeof setTimeout>),
};

/** What deadlines are kept with. */
export interface Timers extends Pick<Clock, 'setTimeout' | 'clearTimeout'> {
  /** Runs a callback once this turn of the event loop is over. */
  readonly endOfTurn?: ((callback: () => void) => unknown) | undefined;
}

/** The system's timers of this moment: fake ones are told apart from real ones by their `setTimeout`. */
export const systemTimers = (): Timers => ({ setTimeout, clearTimeout }) as unknown as Timers;

const globals = globalThis as {
  readonly setImmediate?: (callback: () => void) => unknown;
  readonly navigator?: { readonly userAgent?: string };
};
const ownTimeout: unknown = setTimeout;
const ownImmediate = globals.setImmediate;
/** On Cloudflare's workers a timer dies with the request that armed it: none may serve others. */
const perRequest = globals.navigator?.userAgent?.startsWith('Cloudflare');

/** Where the runtime has one (Node, Bun, Deno) and both timers are its own; else `undefined`. */
export const endOfTurn = (): ((callback: () => void) => unknown) | undefined =>
  !perRequest && ownTimeout === setTimeout && ownImmediate === globals.setImmediate ? ownImmediate : undefined;

/** Epoch milliseconds, for display only: no decision reads it. */
export const wallTime = (): number => Date.now();

/** The default of every `random` option. */
export const systemRandom = (): number => Math.random();
