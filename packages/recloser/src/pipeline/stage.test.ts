import { constant, type PolicyLike, pipeline, retry, timeout } from 'recloser';
import { manualClock } from 'recloser/testing';
import { expect, test } from 'vitest';

test('a policy that is not of this package does not hide what is around it: the attempt and the time that is left', async () => {
  const clock = manualClock();
  const foreign: PolicyLike = { execute: (fn) => Promise.resolve(fn(undefined as never)) };
  const seen: unknown[] = [];
  const stack = pipeline(
    { onWarning: false },
    timeout({ timeoutMs: 1_000, clock }),
    retry({ attempts: 2, backoff: constant(100), clock }),
    foreign,
  );
  const result = stack.execute(({ attempt, timeLeftMs }) => {
    seen.push([attempt, timeLeftMs]);
    return attempt === 1 ? Promise.reject(new Error('down')) : 'ok';
  });
  await clock.advance(100);
  expect(await result).toBe('ok');
  expect(seen).toEqual([
    [1, 1_000],
    [2, 900],
  ]);
});
