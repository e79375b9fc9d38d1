// Examples of opossum's own documentation, as they stand in the README of the installed package, with one import changed.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import CircuitBreaker from 'recloser/opossum';
import { afterEach, expect, test, vi } from 'vitest';

const require = createRequire(import.meta.url);
const readme = readFileSync(require.resolve('opossum').replace(/index\.js$/, 'README.md'), 'utf8');

/** Runs the example in which the words stand; answers its breaker and what it logged. */
function run(words: string, given: Record<string, unknown> = {}) {
  const blocks = [...readme.matchAll(/```javascript\n([\s\S]*?)```/g)].map(([, code = '']) => code);
  const example = blocks.find((code) => code.includes(words)) ?? '';
  const log = vi.fn();
  const error = vi.fn();
  let breaker: CircuitBreaker | undefined;
  class Seen extends CircuitBreaker {
    constructor(action: () => unknown, options?: object) {
      super(action, options);
      breaker = this as CircuitBreaker;
    }
  }
  const scope = {
    require: (id: string) => (id === 'opossum' ? Seen : require(id)),
    console: { log, error },
    ...(example.includes("require('opossum')") ? {} : { CircuitBreaker: Seen }),
    ...given,
  };
  new Function(...Object.keys(scope), example)(...Object.values(scope));
  return { breaker: breaker as unknown as CircuitBreaker, log, error };
}

afterEach(() => void vi.useRealTimers());

test('Usage: a function that never answers times out after the 3 seconds of its options', async () => {
  vi.useFakeTimers();
  const { breaker, error } = run('If our function takes longer than 3 seconds, trigger a failure', { x: 1, y: 2 });
  await vi.advanceTimersByTimeAsync(2_999);
  expect([breaker.closed, error.mock.calls]).toEqual([true, []]);
  await vi.advanceTimersByTimeAsync(1);
  expect(breaker.opened).toBe(true);
  expect(error.mock.calls).toEqual([[expect.objectContaining({ code: 'ETIMEDOUT' })]]);
  await vi.advanceTimersByTimeAsync(30_000);
  expect(breaker.halfOpen).toBe(true);
});

test('Fallback: it gets the parameters of the call', async () => {
  vi.useFakeTimers();
  const { breaker } = run('But your parameters are');
  const fallback = vi.fn();
  breaker.on('fallback', fallback);
  await vi.advanceTimersByTimeAsync(10_000);
  expect(fallback.mock.calls).toEqual([
    [
      'Sorry, out of service right now. But your parameters are: 20000, 1, 2 and 3',
      expect.objectContaining({ code: 'ETIMEDOUT' }),
    ],
  ]);
});

test('Promises vs. Callbacks: util.promisify', async () => {
  const { log } = run('promisify(fs.readFile)', { options: {} });
  await vi.waitFor(() => expect(log.mock.calls).toEqual([[readFileSync('./package.json', 'utf-8')]]));
});

test('Promises vs. Callbacks: an action that is no function', async () => {
  const { log } = run("new CircuitBreaker('foo', options)", { options: {} });
  await vi.waitFor(() => expect(log.mock.calls).toEqual([['foo']]));
});
