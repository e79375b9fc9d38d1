import fc from 'fast-check';
import { type CircuitBreaker, type Registry, registry } from 'recloser';
import { type ManualClock, manualClock } from 'recloser/testing';
import { expect, test } from 'vitest';
import { type Held, hold } from '../support/calls.ts';
import { holdsInTime } from '../support/properties.ts';

const runs = Number(process.env.RECLOSER_RUNS ?? 1_000);
const overflow = '_overflow';

/** Who is kept, by a list that is searched from its old end. */
class NaiveRegistry {
  /** From the one out of use the longest. */
  kept: string[] = [];
  readonly log: string[] = [];
  #hasOverflow = false;
  readonly #maxEntries: number;
  readonly #isProtected: (name: string) => boolean;

  constructor(maxEntries: number, isProtected: (name: string) => boolean) {
    this.#maxEntries = maxEntries;
    this.#isProtected = isProtected;
  }

  /** The name of the breaker that answers. */
  use(name: string): string {
    if (this.kept.includes(name)) this.kept = [...this.kept.filter((other) => other !== name), name];
    else if (this.kept.length < this.#maxEntries) this.#add(name);
    else {
      const idle = this.kept.find((other) => !this.#isProtected(other));
      if (idle === undefined) {
        if (!this.#hasOverflow) this.log.push(`added ${overflow}`);
        this.#hasOverflow = true;
        return overflow;
      }
      this.kept = this.kept.filter((other) => other !== idle);
      this.log.push(`evicted ${idle}`);
      this.#add(name);
    }
    return name;
  }

  #add(name: string): void {
    this.kept.push(name);
    this.log.push(`added ${name}`);
  }

  delete(name: string): boolean {
    const was = this.kept.includes(name);
    this.kept = this.kept.filter((other) => other !== name);
    if (was) this.log.push(`removed ${name}`);
    return was;
  }
}

/** What anybody can see: is it closed, with nobody at work, and shown as it computes. */
const isProtected = (breaker: CircuitBreaker | undefined): boolean => {
  const { state, computedState, inFlight } = (breaker as CircuitBreaker).metrics();
  return state !== 'closed' || computedState !== 'closed' || inFlight > 0;
};

interface Life {
  readonly real: Registry;
  readonly naive: NaiveRegistry;
  readonly clock: ManualClock;
  readonly calls: Held[];
}

type Action = (life: Life) => unknown;

const name = fc.constantFrom(...'abcdefgh');
const using = (make: (life: Life, breaker: CircuitBreaker) => unknown): fc.Arbitrary<Action> =>
  name.map((key) => (life) => {
    const expected = life.naive.use(key);
    const breaker = life.real.get(key);
    expect(breaker.name).toBe(expected);
    return make(life, breaker);
  });
const byHand = (act: (breaker: CircuitBreaker) => void): fc.Arbitrary<Action> =>
  name.map((key) => ({ real }) => {
    const breaker = real.peek(key);
    if (breaker !== undefined) act(breaker);
  });

const action: fc.Arbitrary<Action> = fc.oneof(
  using(() => {}),
  using(() => {}),
  using((_life, breaker) => breaker.acquire()?.success()),
  using((_life, breaker) => breaker.acquire()?.failure(new Error('down'))),
  using((_life, breaker) => breaker.acquire()?.failure(new Error('down'))),
  using(({ calls }, breaker) => calls.push(hold(breaker))),
  using(({ calls }, breaker) => calls.push(hold(breaker))),
  fc.tuple(fc.nat(20), fc.boolean()).map(([nth, ok]) => async ({ calls }: Life) => {
    const [call] = calls.splice(nth % (calls.length || 1), 1);
    if (ok) call?.resolve();
    else call?.reject(new Error('down'));
    await call?.result;
  }),
  byHand((breaker) => breaker.reset()),
  byHand((breaker) => breaker.forceOpen({ reason: 'by hand' })),
  byHand((breaker) => breaker.observeOnly()),
  byHand((breaker) => breaker.release()),
  name.map(
    (key) =>
      ({ real, naive }: Life) =>
        expect(real.delete(key)).toBe(naive.delete(key)),
  ),
  fc.constantFrom(1, 500, 1_000).map(
    (ms) =>
      ({ clock }: Life) =>
        clock.advance(ms),
  ),
);

test(`S28: the registry keeps and evicts whom a naive one would, over ${runs} random lives`, {
  timeout: 600_000,
}, async () => {
  let evictions = 0;
  let overflows = 0;
  await holdsInTime(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 5 }),
      fc.array(action, { maxLength: 60 }),
      async (maxEntries, actions) => {
        const clock = manualClock();
        const real = registry({
          clock,
          maxEntries,
          defaults: { failureThreshold: 1, successThreshold: 1, sleepWindowMs: 1_000 },
        });
        const naive = new NaiveRegistry(maxEntries, (key) => isProtected(real.peek(key)));
        const log: string[] = [];
        for (const event of ['added', 'evicted', 'removed'] as const) {
          real.on(event, (told) => log.push(`${event} ${told.name}`));
        }
        const life: Life = { real, naive, clock, calls: [] };
        for (const act of actions) {
          await act(life);
          const kept = [...real].map(([key]) => key).filter((key) => key !== overflow);
          expect(kept).toEqual(naive.kept);
          expect(log).toEqual(naive.log);
        }
        for (const [, breaker] of real) breaker.dispose();
        evictions += real.metrics().evicted;
        overflows += real.metrics().overflowed;
      },
    ),
    runs,
  );
  // Of few lives chance may leave out either.
  if (runs >= 1_000) expect(Math.min(evictions, overflows)).toBeGreaterThan(runs / 10);
});
