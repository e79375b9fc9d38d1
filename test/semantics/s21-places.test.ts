import { pipeline, timeout } from 'recloser';
import { describe, expect, test } from 'vitest';
import { hold, rejection, setUp, stampede, stateOf, succeed } from '../support/calls.ts';

const hang = (): Promise<never> => new Promise(() => {});

describe('the place in the bulkhead', () => {
  test('S21: it stays taken while the work still runs', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1, failureThreshold: 9 });
    const call = hold(breaker);
    await clock.advance(100);
    expect(await stateOf(call.promise)).toBe('rejected');
    expect(await rejection(succeed(breaker))).toMatchObject({ reason: 'bulkhead-full' });
    call.resolve();
    await clock.advance(0);
    expect(await succeed(breaker)).toBe('ok');
    expect(breaker.metrics().abandoned).toBe(0);
  });

  test('S21: never more than maxConcurrent really work', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 10, maxConcurrent: 3, failureThreshold: 1_000 });
    let working = 0;
    let most = 0;
    for (let i = 0; i < 50; i++) {
      breaker
        .execute(async () => {
          most = Math.max(most, ++working);
          await new Promise<void>((resolve) => clock.setTimeout(resolve, 25));
          working--;
        })
        .catch(() => {});
      await clock.advance(3);
    }
    expect(most).toBe(3);
  });

  test('S21: with release on-timeout it is free at once', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1, failureThreshold: 9, release: 'on-timeout' });
    const call = hold(breaker);
    await clock.advance(100);
    expect(await succeed(breaker)).toBe('ok');
    call.resolve();
    await clock.advance(0);
    expect(stampede(breaker, 3)).toBe(1);
    expect(breaker.metrics().abandoned).toBe(0);
  });

  test('S21: without a timeout of its own, a minute after its caller or a policy around it gave up', async () => {
    const { breaker, clock } = setUp({ maxConcurrent: 2, failureThreshold: 9 });
    const caller = new AbortController();
    const aborted = hold(breaker, { signal: caller.signal });
    const limit = timeout({ timeoutMs: 100, clock });
    const limited = rejection(pipeline({ onWarning: false }, limit, breaker).execute(hang));
    caller.abort();
    await aborted.result;
    await clock.advance(100);
    await limited;
    await clock.advance(59_899);
    expect(breaker.places).toMatchObject({ taken: 2 });
    await clock.advance(1);
    expect(breaker.places).toMatchObject({ taken: 1 });
    await clock.advance(100);
    expect(breaker.places).toMatchObject({ taken: 0 });
    expect(breaker.metrics().abandoned).toBe(2);
  });

  test('S21: at most abandonAfterMs past the timeout; then it is free and counted', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1, abandonAfterMs: 50, failureThreshold: 9 });
    const call = hold(breaker);
    await clock.advance(149);
    expect(breaker.available).toBe(false);
    await clock.advance(1);
    expect(breaker.available).toBe(true);
    expect(breaker.metrics().abandoned).toBe(1);
    call.resolve();
    await clock.advance(0);
    expect(stampede(breaker, 3)).toBe(1);
    expect(breaker.metrics()).toMatchObject({ abandoned: 1, lateResults: 1 });
  });

  test('S23: what is abandoned while disabled is no figure', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1, abandonAfterMs: 50 });
    breaker.disable();
    hold(breaker);
    await clock.advance(150);
    expect(breaker.places).toMatchObject({ taken: 0 });
    expect(breaker.metrics().abandoned).toBe(0);
  });

  test('S21: ten times timeoutMs unless said', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1, failureThreshold: 9 });
    hold(breaker);
    await clock.advance(1_099);
    expect(breaker.available).toBe(false);
    await clock.advance(1);
    expect(breaker.available).toBe(true);
  });

  test('S21: a place is never given back twice, however the ends fall together', async () => {
    for (const end of [0, 99, 100, 149, 150, 151]) {
      const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 2, abandonAfterMs: 50, failureThreshold: 99 });
      const call = hold(breaker);
      await clock.advance(end);
      call.resolve();
      await clock.advance(1_000);
      expect(stampede(breaker, 10)).toBe(2);
    }
  });

  test('S21: an aborted call keeps its place like a timed-out one', async () => {
    const { breaker, clock } = setUp({ timeoutMs: 100, maxConcurrent: 1, abandonAfterMs: 50 });
    const controller = new AbortController();
    hold(breaker, { signal: controller.signal });
    controller.abort();
    expect(breaker.available).toBe(false);
    await clock.advance(50);
    expect(breaker.available).toBe(true);
  });
});
