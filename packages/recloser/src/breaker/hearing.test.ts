import { describe, expect, test } from 'vitest';
import { fail, setUp, succeed } from '../../../../test/support/calls.ts';
import type { BreakerEvents } from './events.ts';

const ends = ['succeeded', 'failed', 'ignored'] as const;

describe('listeners of a breaker', () => {
  test.each(ends)(
    'S25: of %s alone hear of each such end and whose it was, as does one that is added later',
    async (event) => {
      const { breaker } = setUp({ failureThreshold: 9 });
      const heard: unknown[] = [];
      const hear = ({ key }: BreakerEvents[typeof event]): void => void heard.push(key);
      const controller = new AbortController();
      controller.abort();
      const act = (key: string) =>
        event === 'ignored'
          ? breaker.execute(() => Promise.reject(controller.signal.reason), { key, signal: controller.signal })
          : breaker.execute(() => (event === 'failed' ? Promise.reject(new Error('down')) : Promise.resolve()), {
              key,
            });
      breaker.on('opened', () => {});
      await act('before').catch(() => {});
      const off = breaker.on(event, hear);
      for (const other of ends) if (other !== event) breaker.on(other, () => {});
      await act('during').catch(() => {});
      off();
      await act('after').catch(() => {});
      expect(heard).toEqual(['during']);
    },
  );

  test('S25: of other events change no figure and hear nothing of calls', async () => {
    const { breaker } = setUp({ failureThreshold: 9 });
    const heard: string[] = [];
    for (const event of ['opened', 'closed', 'rejected', 'forced'] as const) breaker.on(event, () => heard.push(event));
    await succeed(breaker);
    await fail(breaker);
    expect(breaker.metrics()).toMatchObject({ successfulRequests: 1, failedRequests: 1 });
    expect(heard).toEqual([]);
  });
});
