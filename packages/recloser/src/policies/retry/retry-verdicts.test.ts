import { retry, TimeoutError } from 'recloser';
import { type Outcome, scriptedDependency } from 'recloser/testing';
import { describe, expect, test } from 'vitest';
import { down, retryScene as setUp } from '../../../../../test/support/attempts.ts';
import { rejection } from '../../../../../test/support/calls.ts';

const fails: Outcome = { error: down };
const works: Outcome = { value: 'ok' };

describe('classify', () => {
  test('a returned value may be a failure; when nothing helps, the caller gets the last one', async () => {
    const { clock, call, dependency, policy, told } = setUp(
      { classify: ({ value }) => ((value as { status: number }).status >= 500 ? 'failure' : undefined) },
      [{ value: { status: 503 } }, { value: { status: 502 } }, { value: { status: 500 } }],
    );
    const result = call();
    await clock.advance(1_000);
    expect(await result).toEqual({ status: 500 });
    expect(dependency.calls).toBe(3);
    expect(told.at(-1)).toMatchObject({ cause: 'attempts', error: undefined });
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, successfulRequests: 0 });
  });

  test('a rejection with nothing is a failure as well, and tried again', async () => {
    const { clock, call, dependency } = setUp({ attempts: 2 }, [{ error: undefined }]);
    const result = rejection(call());
    await clock.advance(1_000);
    expect(await result).toBeUndefined();
    expect(dependency.calls).toBe(2);
  });

  test.each(['ignored', 'success'] as const)('an error that is a %s is not tried again', async (verdict) => {
    const { call, dependency, policy, told } = setUp({ classify: () => verdict });
    expect(await rejection(call())).toBe(down);
    expect(dependency.calls).toBe(1);
    expect(told).toEqual([]);
    const counted = verdict === 'ignored' ? 'ignoredRequests' : 'successfulRequests';
    expect(policy.metrics()).toMatchObject({ [counted]: 1, failedRequests: 0 });
  });

  test('sees each attempt with its own time', async () => {
    const seen: unknown[] = [];
    const { clock, policy, dependency } = setUp({ attempts: 2, classify: (outcome) => void seen.push(outcome) }, [
      { error: down, afterMs: 30 },
      { value: 'ok', afterMs: 50 },
    ]);
    const result = policy.execute(dependency, { key: 'k', context: 'c' });
    await clock.advance(180);
    expect(await result).toBe('ok');
    const caller = { key: 'k', context: 'c', aborted: false };
    expect(seen).toEqual([
      { ok: false, value: undefined, error: down, elapsedMs: 30, ...caller },
      { ok: true, value: 'ok', error: undefined, elapsedMs: 50, ...caller },
    ]);
  });

  test('an attempt that failed before its caller gave up is a failure', async () => {
    const { policy } = setUp();
    const controller = new AbortController();
    const failing = Promise.reject(down);
    const result = policy.execute(() => failing, { signal: controller.signal });
    // Heard after the call has ended, and before the policy hears of that.
    failing.catch(() => controller.abort());
    expect(await rejection(result)).toBe(down);
    expect(policy.metrics()).toMatchObject({ failedRequests: 1, ignoredRequests: 0 });
  });

  test('one that throws leaves it at the default and is reported: a success is not done twice', async () => {
    const faults: unknown[] = [];
    const { clock, call } = setUp({
      attempts: 2,
      classify: () => {
        throw new Error('broken');
      },
      onListenerError: (_fault, event) => faults.push(event),
    });
    const works = scriptedDependency(clock, [{ value: 'ok' }]);
    expect(await call({}, works)).toBe('ok');
    expect(works.calls).toBe(1);
    const doesNot = scriptedDependency(clock, [fails]);
    const result = call({}, doesNot);
    await clock.advance(100);
    expect(await rejection(result)).toBe(down);
    expect(doesNot.calls).toBe(2);
    expect(faults).toEqual(['classify', 'classify', 'classify']);
  });
});

describe('calls that may not be made twice', () => {
  test.each([
    ['safe', undefined, 2],
    ['if-idempotent', undefined, 1],
    ['if-idempotent', { idempotent: 'yes' }, 1],
    ['if-idempotent', { idempotent: true }, 2],
    ['never', { idempotent: true }, 1],
  ] as const)('%s, context %o: %i attempts', async (rule, context, attempts) => {
    const faults: unknown[] = [];
    const onListenerError = (fault: unknown): number => faults.push(fault);
    const { clock, call, dependency, told } = setUp({ retry: rule, attempts: 2, onListenerError });
    call({ context });
    await clock.advance(1_000);
    expect(dependency.calls).toBe(attempts);
    if (attempts === 1) expect(told).toEqual([]);
    expect(faults).toEqual([]);
  });

  test.each([
    ['never', true, 1],
    ['safe', false, 2],
  ] as const)('%s is said of all calls: idempotent is not asked', async (rule, answer, attempts) => {
    const { clock, call, dependency } = setUp({ retry: rule, idempotent: () => answer, attempts: 2 });
    call();
    await clock.advance(1_000);
    expect(dependency.calls).toBe(attempts);
  });

  test('idempotent decides call by call, without further ado', async () => {
    const { clock, call, dependency } = setUp({ idempotent: ({ context }) => context === 'GET', attempts: 2 });
    for (const context of ['GET', 'POST']) call({ context });
    await clock.advance(1_000);
    expect(dependency.calls).toBe(3);
  });

  test('one that throws says no, and is reported', async () => {
    const faults: unknown[] = [];
    const { call } = setUp({
      idempotent: () => {
        throw down;
      },
      onListenerError: (fault, event) => faults.push([fault, event]),
    });
    expect(await rejection(call())).toBe(down);
    expect(faults).toEqual([[down, 'idempotent']]);
  });
});

test('S25: a listener that throws changes nothing', async () => {
  const faults: unknown[] = [];
  const boom = (): never => {
    throw new Error('listener');
  };
  const { clock, call } = setUp(
    { onRetryScheduled: boom, onRecovered: boom, onListenerError: (_fault, event) => faults.push(event) },
    [fails, works],
  );
  const result = call();
  await clock.advance(100);
  expect(await result).toBe('ok');
  expect(faults).toEqual(['retry-scheduled', 'recovered']);
});

test('a listener that gives up for the caller stops the next attempt', async () => {
  const caller = new AbortController();
  const settled: number[] = [];
  const { policy, dependency } = setUp({
    backoff: 0,
    onRetryScheduled: () => caller.abort('enough'),
    onSettled: ({ attempts }) => settled.push(attempts),
  });
  expect(await rejection(policy.execute(dependency, { signal: caller.signal }))).toBe('enough');
  expect(dependency.calls).toBe(1);
  expect(settled).toEqual([1]);
});

test('S26: all faults at once', () => {
  const options = {
    attempts: 0,
    backoff: 'long',
    maxDelayMs: 0,
    maxElapsedMs: -1,
    classify: 1,
    retry: 'sometimes',
    idempotent: true,
    retryRefusals: 1,
    budget: {},
    retries: 3,
  };
  expect(() => retry(options as never)).toThrow(
    /attempts must be an integer from 1.*backoff must be a number.*maxDelayMs.*maxElapsedMs.*classify.*retry must be one of 'safe', 'if-idempotent', 'never'.*idempotent.*retryRefusals.*budget must be a retry budget or false.*unknown option retries/,
  );
  expect(() => retry({ attempts: 1.5 })).toThrow(RangeError);
  expect(() => retry(null as never)).toThrow(TypeError);
});

test('a timed-out attempt is tried again', async () => {
  const timedOut = new TimeoutError('slow', { breaker: 'x', timeoutMs: 1 });
  const { clock, call } = setUp({}, [{ error: timedOut }, works]);
  const result = call();
  await clock.advance(100);
  expect(await result).toBe('ok');
});
