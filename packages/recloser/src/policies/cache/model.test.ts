import { getEventListeners } from 'node:events';
import fc from 'fast-check';
import type { CallContext } from 'recloser';
import { expect, test } from 'vitest';
import { setUp } from '../../../../../test/support/caches.ts';
import { holdsInTime } from '../../../../../test/support/properties.ts';

test('an answer is of its key, never older than allowed, never an error, and nothing leaks, whatever happens', async () => {
  const key = fc.constantFrom('a', 'b', 'c');
  const step = fc.oneof(
    { weight: 6, arbitrary: fc.record({ do: fc.constant('call' as const), key, takes: fc.nat(30), ok: fc.boolean() }) },
    { weight: 2, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat(20) }) },
    { weight: 4, arbitrary: fc.record({ do: fc.constant('advance' as const), ms: fc.nat(80) }) },
    { weight: 1, arbitrary: fc.record({ do: fc.constant('invalidate' as const), key }) },
  );
  const options = fc.record({
    staleWhileRevalidateMs: fc.constantFrom(0, 40),
    staleIfErrorMs: fc.constantFrom(0, 90),
    maxEntries: fc.integer({ min: 1, max: 3 }),
    coalesce: fc.boolean(),
    joinForMs: fc.integer({ min: 1, max: 40 }),
  });
  await holdsInTime(
    fc.asyncProperty(options, fc.array(step, { maxLength: 50 }), async (given, steps) => {
      const { clock, policy } = setUp({ ...given, ttlMs: 50 });
      interface Value {
        readonly key: string;
        readonly bornAt: number;
      }
      const calls: { abort: AbortController; outcome?: string }[] = [];
      const forgottenAt: Record<string, number> = {};
      let working = 0;
      for (const taken of steps) {
        if (taken.do === 'call') {
          const entry: (typeof calls)[number] = { abort: new AbortController() };
          calls.push(entry);
          const askedAt = clock.now();
          const work = ({ signal }: CallContext): Promise<Value> => {
            working++;
            return new Promise((resolve, reject) => {
              const end = (): void => {
                working--;
                const value = { key: taken.key, bornAt: clock.now() };
                taken.ok ? resolve(value) : reject(new Error('down'));
              };
              const timer = clock.setTimeout(end, taken.takes);
              signal.addEventListener('abort', () => {
                clock.clearTimeout(timer);
                working--;
                reject(signal.reason);
              });
            });
          };
          policy.execute(work, { key: taken.key, signal: entry.abort.signal }).then(
            (value) => {
              entry.outcome = 'value';
              expect(value.key).toBe(taken.key);
              const allowed = 50 + Math.max(given.staleWhileRevalidateMs, given.staleIfErrorMs);
              expect(askedAt - value.bornAt).toBeLessThanOrEqual(allowed);
              // What was kept before the key was invalidated is no answer to who asked after it.
              if (askedAt > (forgottenAt[taken.key] ?? 0)) {
                expect(value.bornAt).toBeGreaterThanOrEqual(forgottenAt[taken.key] ?? 0);
              }
            },
            (reason) => (entry.outcome = reason === 'gave up' ? 'gave up' : 'error'),
          );
        } else if (taken.do === 'advance') await clock.advance(taken.ms);
        else if (taken.do === 'abort') calls[taken.which]?.abort.abort('gave up');
        else {
          forgottenAt[taken.key] = clock.now();
          void policy.invalidate(taken.key);
        }
        await clock.advance(0);
        expect(policy.metrics().entries).toBeLessThanOrEqual(given.maxEntries);
      }
      for (const { abort } of calls) abort.abort('gave up');
      await clock.advance(100);
      expect(calls.every(({ outcome }) => outcome !== undefined)).toBe(true);
      for (const { abort } of calls) expect(getEventListeners(abort.signal, 'abort')).toHaveLength(0);
      const { hitRequests, staleRequests, staleIfErrorRequests, missedRequests, ...rest } = policy.metrics();
      expect(rest).toMatchObject({ totalRequests: calls.length, unkeyedRequests: 0, inFlight: 0 });
      expect(hitRequests + missedRequests + (staleRequests - staleIfErrorRequests)).toBe(calls.length);
      expect(working).toBe(0);
      expect(clock.pending).toBe(0);
    }),
  );
});
