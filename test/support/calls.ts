import {
  type CallContext,
  type CallOptions,
  type CircuitBreaker,
  type CircuitBreakerOptions,
  type CircuitOpenError,
  circuitBreaker,
  type Policy,
} from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';

/** A breaker on a clock of its own: opens on the first failure, sleeps for a second, closes on the first good probe. */
export function setUp(options: CircuitBreakerOptions = {}): { breaker: CircuitBreaker; clock: ManualClock } {
  const clock = manualClock();
  const short = options.trip === undefined && options.failureThreshold === undefined ? { failureThreshold: 1 } : {};
  const breaker = circuitBreaker({ clock, successThreshold: 1, sleepWindowMs: 1_000, ...short, ...options });
  return { breaker, clock };
}

/** What a promise rejects with. */
export async function rejection(promise: Promise<unknown>): Promise<unknown> {
  let value: unknown;
  try {
    value = await promise;
  } catch (error) {
    return error;
  }
  throw new Error(`expected a rejection, got ${String(value)}`);
}

/** The state of a promise by now. */
export async function stateOf(promise: Promise<unknown>): Promise<'pending' | 'fulfilled' | 'rejected'> {
  const pending = Symbol();
  const turn = new Promise((resolve) => setImmediate(resolve, pending));
  return Promise.race([promise, turn]).then(
    (value) => (value === pending ? 'pending' : 'fulfilled'),
    () => 'rejected',
  );
}

export const succeed = (breaker: CircuitBreaker, value: unknown = 'ok'): Promise<unknown> =>
  breaker.execute(() => Promise.resolve(value));

/** One call that fails, with an error of its own if none is given; resolves with what its caller got. */
export const fail = (breaker: CircuitBreaker, ...thrown: [unknown?]): Promise<unknown> =>
  rejection(breaker.execute(() => Promise.reject(thrown.length > 0 ? thrown[0] : new Error('down'))));

/** One call that is slow on the breaker's clock. */
export async function slow(breaker: CircuitBreaker, clock: ManualClock, ms: number): Promise<void> {
  const call = hold(breaker);
  await clock.advance(ms);
  call.resolve('slow');
  await call.result;
}

/** A call whose work ends when the test says so. */
export interface Held {
  resolve(value?: unknown): void;
  reject(error?: unknown): void;
  readonly promise: Promise<unknown>;
  /** Settles with the call and never rejects. */
  readonly result: Promise<unknown>;
  /** Undefined if the function was not called. */
  readonly context: CallContext | undefined;
}

export function hold(policy: Policy, options?: CallOptions<unknown>): Held {
  // Of a function that is not called there is no work to end.
  let resolve: (value?: unknown) => void = () => {};
  let reject: (error?: unknown) => void = () => {};
  let context: CallContext | undefined;
  const run = (given: CallContext): Promise<unknown> => {
    context = given;
    return new Promise((yes, no) => {
      resolve = yes;
      reject = no;
    });
  };
  const promise = options === undefined ? policy.execute(run) : policy.execute(run, options);
  const result = promise.catch((error: unknown) => error);
  return {
    resolve: (value) => resolve(value),
    reject: (error) => reject(error),
    promise,
    result,
    get context() {
      return context;
    },
  };
}

/** How long an open breaker goes on sleeping; costs it a refused call. */
export async function sleepLeftMs(breaker: CircuitBreaker): Promise<number | undefined> {
  const error = await rejection(breaker.execute(() => {}));
  return (error as CircuitOpenError).retryAfterMs;
}

/** Starts so many calls at once that never end; answers how many were admitted. */
export function stampede(breaker: CircuitBreaker, callers: number): number {
  let admitted = 0;
  for (let i = 0; i < callers; i++) {
    breaker
      .execute(() => {
        admitted++;
        return new Promise(() => {});
      })
      .catch(() => {});
  }
  return admitted;
}
