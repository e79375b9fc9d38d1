// `Status`, `MemoryCache` and `Semaphore` beside lib/status.js, lib/cache.js and lib/semaphore.js of opossum.
import { EventEmitter } from 'node:events';
import { createRequire } from 'node:module';
import fc from 'fast-check';
import { MemoryCache, Semaphore, Status } from 'recloser/opossum';
import { afterEach, expect, test, vi } from 'vitest';
import { holdsInTime } from '../../support/properties.ts';

const require = createRequire(import.meta.url);
const runs = Number(process.env.RECLOSER_RUNS ?? 700);
const timeout = Math.max(30_000, runs * 20);

afterEach(() => void vi.useRealTimers());

/** What is done to each, in time of its own, must be seen of each. */
async function same<Part>(parts: readonly Part[], live: (part: Part, seen: unknown[]) => Promise<void>): Promise<void> {
  const traces: unknown[][] = [];
  for (const part of parts) {
    vi.useFakeTimers({ now: 1_700_000_000_000 });
    const seen: unknown[] = [];
    await live(part, seen);
    traces.push(seen);
    vi.useRealTimers();
  }
  expect(traces[1]).toEqual(traces[0]);
}

const counters = 'failures fallbacks successes rejects fires cacheHits cacheMisses semaphoreRejections'.split(' ');
const wait = fc.record({ wait: fc.nat(60).map((tens) => tens * 10) });

test('Status: any counting, turning and time', { timeout }, () =>
  holdsInTime(
    fc.asyncProperty(
      fc.record({
        rollingCountBuckets: fc.constantFrom(undefined, 0, 1, 3, 10),
        rollingCountTimeout: fc.constantFrom(undefined, 300, 1_000),
        rollingPercentilesEnabled: fc.constantFrom(undefined, true, true, null, 0),
        enableSnapshots: fc.constantFrom(undefined, true, false),
        rotates: fc.boolean(),
        stats: fc.constantFrom(undefined, null, {}, { fires: 3, latencyTimes: [4, 2] }, { failures: 1, more: 1 }),
      }),
      fc.boolean(),
      fc.array(
        fc.oneof(
          fc.record({ counter: fc.constantFrom(...counters), ms: fc.constantFrom(undefined, 0, 5, 70) }),
          fc.record({ counter: fc.constant('timeouts'), ms: fc.nat(9) }),
          wait,
          fc.constantFrom('open', 'close', 'rotateBucket', 'rotate', 'removeRotateBucketControllerListener'),
          fc.constantFrom('startListeneningForRotateEvent', 'startListeneningForRotateEvent'),
        ),
        { maxLength: 25 },
      ),
      (options, hearsSnapshots, steps) =>
        same([require('opossum/lib/status.js'), Status] as (typeof Status)[], async (Part, seen) => {
          const rotateBucketController = options.rotates ? new EventEmitter() : undefined;
          const status = new Part({ ...structuredClone(options), rotateBucketController } as never);
          if (hearsSnapshots) status.on('snapshot', (stats) => seen.push(['snapshot', structuredClone(stats)]));
          await vi.advanceTimersByTimeAsync(3);
          for (const step of [...steps, 'shutdown', { wait: 2_000 }, { counter: 'fires', ms: 1 }]) {
            if (typeof step === 'string') {
              if (step === 'rotate') rotateBucketController?.emit('rotate');
              else (status as unknown as Record<string, () => void>)[step]?.();
            } else if ('wait' in step) await vi.advanceTimersByTimeAsync(step.wait);
            else status.increment(step.counter as 'fires', step.ms);
            const { stats, window, listenerCount } = status;
            seen.push(structuredClone([stats, window]), listenerCount.call(status, 'snapshot'));
            seen.push(
              rotateBucketController?.listenerCount('rotate'),
              status.rollingPercentilesEnabled,
              status.enableSnapshots,
            );
          }
        }),
    ),
    runs,
  ),
);

test('MemoryCache: any storing, reading and time', { timeout }, () =>
  holdsInTime(
    fc.asyncProperty(
      fc.constantFrom(undefined, 1, 2, 3),
      fc.array(
        fc.oneof(
          fc.record({
            set: fc.constantFrom('a', 'b', 'c', 'd'),
            value: fc.constantFrom<unknown>(1, 'text', null, 0, false),
            ttl: fc.constantFrom(0, 0, 50, 400, -5, Infinity),
          }),
          fc.record({ get: fc.constantFrom('a', 'b', 'c', 'd') }),
          fc.record({ delete: fc.constantFrom('a', 'b') }),
          wait,
          fc.constant('flush' as const),
        ),
        { maxLength: 30 },
      ),
      (size, steps) =>
        same([require('opossum/lib/cache.js'), MemoryCache] as (typeof MemoryCache)[], async (Part, seen) => {
          const cache = new Part(size);
          seen.push(cache.maxEntries, cache.cache instanceof Map);
          for (const step of steps) {
            if (step === 'flush') seen.push(cache.flush(), cache.cache.size);
            else if ('wait' in step) await vi.advanceTimersByTimeAsync(step.wait);
            else if ('get' in step) seen.push(cache.get(step.get));
            else if ('delete' in step) seen.push(cache.delete(step.delete));
            // What expired leaves when something new comes: with a full cache that can save another's place.
            else if (size === undefined || step.ttl === 0 || step.ttl === Infinity) {
              seen.push(cache.set(step.set, step.value, step.ttl && Date.now() + step.ttl));
            }
          }
        }),
    ),
    runs,
  ),
);

test('Semaphore: any taking, testing and releasing', { timeout }, () =>
  holdsInTime(
    fc.asyncProperty(
      fc.nat(3),
      fc.array(
        fc.oneof(fc.constantFrom('take', 'test', 'release', 'own'), fc.record({ take: fc.constantFrom(0, 50) })),
        {
          maxLength: 25,
        },
      ),
      fc.array(fc.boolean(), { minLength: 25, maxLength: 25 }),
      (count, steps, pauses) =>
        same([require('opossum/lib/semaphore.js'), Semaphore] as (typeof Semaphore)[], async (make, seen) => {
          const semaphore = make(count);
          const held: (() => void)[] = [];
          let line = 0;
          let waiting = 0;
          for (const [i, step] of steps.entries()) {
            if (step === 'test') seen.push(['test', semaphore.test()]);
            else if (step === 'release') seen.push(['release', semaphore.release()]);
            else if (step === 'own') held.pop()?.();
            else {
              const number = line++;
              // opossum's that time out take the first out of the line: here they are alone in it.
              const ms = typeof step === 'string' || waiting > 0 ? undefined : step.take;
              waiting++;
              semaphore.take(ms).then(
                (release) => {
                  waiting--;
                  seen.push(['took', number, typeof release]);
                  held.push(release);
                },
                (error) => {
                  waiting--;
                  seen.push(['timed out', number, error.message, error.code]);
                },
              );
              if (ms) await vi.advanceTimersByTimeAsync(60);
            }
            if (pauses[i]) await vi.advanceTimersByTimeAsync(0);
            seen.push(semaphore.count);
          }
        }),
    ),
    runs,
  ),
);
