// Every point at which the lives of differential.test.ts stop being compared: it is in the guide, and it is a difference.
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { afterEach, expect, test, vi } from 'vitest';
import { play } from './play.ts';
import type { Command, Drawn, Outcome, Reaction, Step } from './scenario.ts';
import { ours, type Subject, theirs } from './subject.ts';
import { type Row, rows } from './witness.ts';

afterEach(() => void vi.useRealTimers());

const guide = readFileSync(new URL('../../../docs/migrating/from-opossum.md', import.meta.url), 'utf8');

const done = (command: Command, afterMs = 0): Step => ({ command, afterMs });
const fired = (outcome: Outcome, ms = 0, afterMs = 0, key = 0): Step => done({ do: 'fire', outcome, key, ms }, afterMs);
const did = (command: 'open' | 'close' | 'shutdown' | 'wait', afterMs = 0): Step => done({ do: command }, afterMs);

const brief = { errorThresholdPercentage: 0, resetTimeout: 205 };
const shared = { coalesce: true, cacheGetKey: 'key', errorThresholdPercentage: 100 } as const;
const checked = done({ do: 'healthCheck', every: 150, kind: 'fail' });

const points: Record<Row, [Drawn, ...Step[]]> = {
  'a success of before the circuit opened': [
    brief,
    fired('resolveLater', 300),
    fired('throw', 0, 250),
    fired('hang', 0, 100),
  ],
  'a failure of then opens it again': [brief, fired('rejectLater', 300), fired('throw', 0, 250), fired('hang', 0, 100)],
  'a probe that never settles': [
    { ...brief, timeout: false },
    did('open', 250),
    fired('hang', 0, 250),
    fired('return'),
  ],
  'so does a probe that fails during `allowWarmUp`': [
    { ...brief, allowWarmUp: true },
    did('open', 250),
    fired('throw'),
  ],
  '`state.lastTimerAt` is when the breaker was made': [
    brief,
    did('wait', 500),
    did('open'),
    done({ do: 'restart', state: true, status: 'none' }),
  ],
  "an old process's open circuit": [{ ...brief, state: { closed: false, open: true, sinceMs: 100 } }, did('wait', 150)],
  'count as calls that did not fail': [{}, did('open'), fired('return'), fired('return'), did('close'), fired('throw')],
  'a call beyond `capacity` is a failure': [{ capacity: 1 }, fired('hang'), fired('return')],
  'an action that answers `undefined` or `null` fails': [{}, fired('undefined'), fired('null')],
  'a thenable': [{}, fired('bareThenable')],
  'an `errorFilter` that throws': [{ errorFilter: 'throws' }, fired('reject')],
  '`fire` throws when disabled': [{ enabled: false }, fired('throw')],
  'when the arguments are no JSON': [{ cache: true, cacheGetKey: 'throws' }, fired('return')],
  '`coalesce` without a `timeout`': [{ ...shared, timeout: false }, fired('return'), fired('return')],
  'a synchronous throw in spite of `coalesceResetOn`': [
    { ...shared, coalesceResetOn: ['error'] },
    fired('throw'),
    fired('return'),
  ],
  'one that outlived its entry': [
    { ...shared, coalesceTTL: 50, coalesceResetOn: ['success'] },
    fired('resolveLater', 100, 60, 1),
    fired('hang', 0, 45, 1),
    fired('return', 0, 0, 1),
  ],
  'a health check goes on after `shutdown`': [{}, checked, did('shutdown', 200)],
  '`open()` and `close()` revive it': [{}, did('shutdown'), did('open')],
};

const scenario = (options: Drawn, steps: readonly Step[], reactions: readonly Reaction[] = []) =>
  ({ options, action: 'function', hearsSnapshots: false, reactions, steps }) as const;

test.each(rows)('%s', async (row) => {
  expect(guide).toContain(row);
  const [options, ...steps] = points[row];
  const lives = await play(scenario(options, steps));
  expect(lives.ours).toEqual(lives.theirs);
  expect(lives.row).toBe(row);
  expect(isDeepStrictEqual(lives.after.ours, lives.after.theirs)).toBe(false);
});

test('a call that ends before an older one of the same value is not taken for that', async () => {
  const overtaken = [fired('resolveLater', 70), fired('resolveLater'), did('open'), fired('return', 0, 210)];
  const options = { timeout: 70, resetTimeout: 205 };
  const { row } = await play(
    scenario(options, [...overtaken, fired('return'), fired('throw'), fired('rejectNoError')]),
  );
  expect(row).toBe('count as calls that did not fail');
});

test('a probe that settles after all, late, has not had its turn for all that time', async () => {
  const reaction: Reaction = { on: 'failure', does: { do: 'fire', outcome: 'return', key: 0, ms: 0 } };
  const options = { resetTimeout: 65, timeout: false, state: { closed: false, halfOpen: true } } as const;
  const { row } = await play(scenario(options, [fired('rejectLater', 130)], [reaction]));
  expect(row).toBe('a probe that never settles');
});

test('the entry of a call that throws comes after those of calls that its listeners make', async () => {
  const reaction: Reaction = { on: 'failure', does: { do: 'fire', outcome: 'return', key: 0, ms: 0 } };
  const options = { ...shared, coalesceTTL: 0, coalesceResetOn: ['success'] } as const;
  const { row } = await play(scenario(options, [fired('throw'), fired('return')], [reaction]));
  expect(row).toBe('one that outlived its entry');
});

/** What is made the same before it is compared: it differs too. */
const seen: [row: string, see: (breaker: Subject) => Promise<unknown>, their: unknown, our: unknown][] = [
  [
    'the latency of a call that timed out counts twice',
    async (breaker) => {
      await breaker.fire('hang').catch(() => {});
      return (breaker.stats.latencyTimes as unknown[]).length;
    },
    2,
    1,
  ],
  [
    '`rollingPercentilesEnabled: false` keeps latencies',
    async (breaker) => {
      await breaker.fire('ok');
      return breaker.status.window[0]?.latencyTimes.length;
    },
    1,
    0,
  ],
  [
    '`pendingClose` stays true',
    async (breaker) => {
      (breaker as unknown as { open(): void }).open();
      await new Promise((resolve) => setTimeout(resolve, 20));
      breaker.shutdown();
      return breaker.pendingClose;
    },
    true,
    false,
  ],
  [
    'a fallback that fails hides the action',
    async (breaker) => {
      breaker.fallback(() => Promise.reject(new Error('fallback')));
      return breaker.fire('fail').catch((error: Error) => error.cause !== undefined);
    },
    false,
    true,
  ],
  [
    '`removeAllListeners()` stops counting',
    async (breaker) => {
      (breaker as unknown as { removeAllListeners(): void }).removeAllListeners();
      await breaker.fire('ok');
      return breaker.stats.fires;
    },
    0,
    1,
  ],
];

test.each(seen)('%s', async (row, see, their, our) => {
  vi.useFakeTimers();
  expect(guide).toContain(row);
  const action = (outcome: string): Promise<unknown> => {
    if (outcome === 'hang') return new Promise(() => {});
    return outcome === 'ok' ? Promise.resolve('ok') : Promise.reject(new Error('failed'));
  };
  const options = { timeout: 5, resetTimeout: 5, rollingPercentilesEnabled: !row.startsWith('`rolling') };
  const [there, here] = [theirs, ours].map((construct) => new construct(action, { ...options }));
  const both = Promise.all([see(there as Subject), see(here as Subject)]);
  await vi.advanceTimersByTimeAsync(50);
  expect(await both).toEqual([their, our]);
});
