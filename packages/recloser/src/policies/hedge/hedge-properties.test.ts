import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import { bulkhead, hedge, pipeline, RejectedError, retryBudget } from 'recloser';
import { manualClock } from 'recloser/testing';
import { expect, test } from 'vitest';
import { holdsInTime } from '../../../../../test/support/properties.ts';

const down = new Error('down');

test('whatever happens: a call ends with its first success, losers are called off, and nothing leaks', async () => {
  const step = fc.record({ afterMs: fc.integer({ min: 0, max: 600 }), fails: fc.boolean(), listens: fc.boolean() });
  const plan = fc.record({
    beginsAt: fc.integer({ min: 0, max: 3_000 }),
    steps: fc.array(step, { minLength: 4, maxLength: 4 }),
    abortsAfterMs: fc.option(fc.integer({ min: 0, max: 900 }), { nil: undefined }),
  });
  await holdsInTime(
    fc.asyncProperty(
      fc.array(plan, { minLength: 1, maxLength: 20 }),
      fc.integer({ min: 1, max: 3 }),
      fc.integer({ min: 1, max: 40 }),
      fc.constantFrom(0, 0.2, 1),
      fc.integer({ min: 0, max: 2 }),
      async (plans, maxHedges, maxConcurrent, share, minPerSecond) => {
        const clock = manualClock();
        const budget = retryBudget({ clock, share, minPerSecond });
        const policy = hedge({ clock, delayMs: 100, maxHedges, budget });
        const places = bulkhead({ clock, maxConcurrent, release: 'on-timeout' });
        const stack = pipeline(policy, places);
        const signals: AbortSignal[] = [];
        let settled = 0;
        let begunAfterTheEnd = 0;
        for (const { beginsAt, steps, abortsAfterMs } of plans) {
          clock.setTimeout(() => {
            const caller = new AbortController();
            signals.push(caller.signal);
            const own: { signal: AbortSignal; value: string; succeededAt?: number }[] = [];
            let over = false;
            if (abortsAfterMs !== undefined) clock.setTimeout(() => caller.abort('enough'), abortsAfterMs);
            stack
              .execute(
                ({ signal, attempt }) => {
                  if (over) begunAfterTheEnd++;
                  const mine: (typeof own)[number] = { signal, value: `answer ${attempt}` };
                  own.push(mine);
                  const { afterMs, fails, listens } = steps[attempt - 1] as (typeof steps)[number];
                  return new Promise((resolve, reject) => {
                    if (listens) signal.addEventListener('abort', () => reject(signal.reason));
                    clock.setTimeout(() => {
                      if (fails) return reject(down);
                      if (!signal.aborted) mine.succeededAt = clock.now();
                      resolve(mine.value);
                    }, afterMs);
                  });
                },
                { signal: caller.signal },
              )
              .then(
                (value) => {
                  const winner = own.find((attempt) => attempt.value === value);
                  // The first success there was, at this very moment.
                  expect(winner?.succeededAt).toBe(clock.now());
                  expect(winner?.signal.aborted).toBe(false);
                  const others = own.filter((attempt) => attempt !== winner && attempt.signal.aborted);
                  for (const { signal } of others) expect(signal.reason.code).toBe('ERR_HEDGE_LOST');
                },
                (error) => {
                  if (error === 'enough') return;
                  expect(error === down || error instanceof RejectedError).toBe(true);
                  // No attempt is called off but for a better one or by the caller: not when the budget is spent either.
                  for (const { signal } of own) expect(signal.aborted).toBe(false);
                  expect(own.some(({ succeededAt }) => succeededAt !== undefined)).toBe(false);
                },
              )
              .then(() => {
                settled++;
                over = true;
              });
          }, beginsAt);
        }
        await clock.advance(10_000);
        const figures = policy.metrics();
        expect(settled).toBe(plans.length);
        expect(begunAfterTheEnd).toBe(0);
        expect(figures.inFlight).toBe(0);
        expect(figures.hedges).toBeLessThanOrEqual(maxHedges * figures.totalRequests);
        expect(figures.hedges).toBeLessThanOrEqual(share * figures.totalRequests + minPerSecond * (10 + 4));
        expect(places.metrics().inFlight).toBe(0);
        expect(clock.pending).toBe(0);
        for (const signal of signals) expect(getEventListeners(signal, 'abort')).toHaveLength(0);
      },
    ),
    150,
  );
});
