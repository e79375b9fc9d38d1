import CircuitBreaker, { type Options } from 'recloser/opossum';
import { type ManualClock, manualClock } from 'recloser/testing';

/** The action of these tests: its argument is what becomes of the call. */
export type Outcome = 'ok' | 'fail' | 'throw' | 'hang' | (() => unknown);

export type TestBreaker = CircuitBreaker<[outcome: Outcome, ...rest: unknown[]], unknown>;

/** A breaker on a clock of its own that opens on the first failure and stays so for a second. */
export function setUp(options: Options<[outcome: Outcome, ...rest: unknown[]]> = {}): {
  breaker: TestBreaker;
  clock: ManualClock;
  /** Names of the events so far. */
  events: string[];
} {
  const clock = manualClock();
  const breaker = new CircuitBreaker(act, { clock, resetTimeout: 1_000, errorThresholdPercentage: 0, ...options });
  const events: string[] = [];
  for (const event of ['halfOpen', 'shutdown', 'healthCheckFailed', ...breaker.eventNames()]) {
    breaker.on(event as 'open', () => events.push(String(event)));
  }
  return { breaker, clock, events };
}

function act(outcome: Outcome): unknown {
  if (typeof outcome === 'function') return outcome();
  if (outcome === 'throw') throw new Error('thrown');
  if (outcome === 'hang') return new Promise(() => {});
  return outcome === 'ok' ? Promise.resolve('ok') : Promise.reject(new Error('failed'));
}

/** A call whose work ends when the test says so. */
export function hold(breaker: TestBreaker, ...rest: unknown[]) {
  let resolve = (_value?: unknown): void => {};
  let reject = (_error?: unknown): void => {};
  let started = false;
  const work = (): unknown => {
    started = true;
    return new Promise((yes, no) => {
      resolve = yes;
      reject = no;
    });
  };
  const result = breaker.fire(work, ...rest).catch((error: unknown) => error);
  return { result, started, resolve: (value?: unknown) => resolve(value), reject: (error?: unknown) => reject(error) };
}
