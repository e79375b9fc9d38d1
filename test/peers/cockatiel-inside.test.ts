// docs/migrating/from-cockatiel.md, "One policy at a time": cockatiel's own policies in a pipeline, by the adapter of that page.
import {
  BulkheadRejectedError,
  bulkhead,
  ConsecutiveBreaker,
  ConstantBackoff,
  circuitBreaker as cockatielBreaker,
  retry as cockatielRetry,
  timeout as cockatielTimeout,
  fallback,
  handleAll,
  type IDefaultPolicyContext,
  type IPolicy,
  noop,
  TimeoutStrategy,
} from 'cockatiel4';
import { CircuitOpenError, circuitBreaker, type PolicyLike, pipeline, retry, timeout } from 'recloser';
import { expect, test, vi } from 'vitest';
import { rejection, stateOf } from '../support/calls.ts';

const inside = (policy: IPolicy<IDefaultPolicyContext, unknown>): PolicyLike => ({
  execute: (fn, { signal } = {}) => policy.execute(fn as never, signal),
});

const policies = {
  retry: () => cockatielRetry(handleAll, { maxAttempts: 2, backoff: new ConstantBackoff(0) }),
  circuitBreaker: () => cockatielBreaker(handleAll, { halfOpenAfter: 1_000, breaker: new ConsecutiveBreaker(2) }),
  timeout: () => cockatielTimeout(1_000, TimeoutStrategy.Aggressive),
  bulkhead: () => bulkhead(1),
  fallback: () => fallback(handleAll, 'instead'),
  noop: () => noop,
} as const;

const down = (): Promise<never> => Promise.reject(new Error('down'));
const hang = (): Promise<never> => new Promise(() => {});

test.each(Object.entries(policies))('%s hands result, context and signal on, and heeds the caller', async (_, make) => {
  const calls = pipeline(retry({ attempts: 2, backoff: 0 }), inside(make()), timeout(1_000));
  const seen = await calls.execute(({ key, context, timeLeftMs }) => [key, context, timeLeftMs > 0], {
    key: 'a',
    context: 7,
  });
  expect(seen).toEqual(['a', 7, true]);
  const caller = new AbortController();
  let signal: AbortSignal | undefined;
  const call = calls.execute(
    (context) => {
      signal = context.signal;
      return hang();
    },
    { signal: caller.signal },
  );
  expect(await stateOf(call)).toBe('pending');
  caller.abort('enough');
  expect(await rejection(call)).toBe('enough');
  expect(signal?.aborted).toBe(true);
});

test.each(Object.entries(policies))('without the adapter %s takes the options for a signal', async (name, make) => {
  const result = await pipeline(make() as unknown as PolicyLike)
    .execute(() => 1)
    .catch(String);
  expect(result).toMatch(name === 'fallback' ? 'instead' : /^TypeError: .*signal/);
});

test('each does what it does', async () => {
  let attempts = 0;
  const again = pipeline(inside(policies.retry()), timeout(1_000));
  const work = (): Promise<never> => {
    attempts++;
    return down();
  };
  await rejection(again.execute(work));
  expect(attempts).toBe(3);
  expect(await pipeline(inside(policies.fallback()), circuitBreaker()).execute(down)).toBe('instead');
  const full = pipeline(inside(policies.bulkhead()), circuitBreaker());
  full.execute(hang).catch(() => {});
  expect(await rejection(full.execute(() => 1))).toBeInstanceOf(BulkheadRejectedError);
  const guarded = pipeline(inside(policies.circuitBreaker()), timeout(1_000));
  for (let i = 0; i < 2; i++) await rejection(guarded.execute(down));
  expect(await rejection(guarded.execute(down))).toMatchObject({ isBrokenCircuitError: true });
  const ours = pipeline(inside(policies.retry()), circuitBreaker({ failureThreshold: 2 }), timeout(1_000));
  expect(await rejection(ours.execute(down))).toBeInstanceOf(CircuitOpenError);
});

test.each([
  ['nothing', [], { name: 'AbortError' }],
  ['a breaker', [circuitBreaker()], { isTaskCancelledError: true }],
  ['a breaker and its timeout', [circuitBreaker(), timeout(2_000)], { isTaskCancelledError: true }],
])(
  'the timeout ends what is inside by its signal; the error is its own unless that is nothing: %s',
  async (_, policiesInside, error) => {
    vi.useFakeTimers();
    const call = rejection(pipeline(inside(policies.timeout()), ...policiesInside).execute(hang));
    await vi.advanceTimersByTimeAsync(1_000);
    expect(await call).toMatchObject(error);
    vi.useRealTimers();
  },
);

test('a breaker around them takes their refusals for failures', async () => {
  const breaker = circuitBreaker();
  const full = pipeline(breaker, inside(policies.bulkhead()));
  full.execute(hang).catch(() => {});
  expect(await rejection(full.execute(() => 1))).toBeInstanceOf(BulkheadRejectedError);
  expect(breaker.metrics()).toMatchObject({ failedRequests: 1, ignoredRequests: 0 });
});
