import { describe, expect, test, vi } from 'vitest';
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
      await act('alone').catch(() => {});
      for (const other of ends) if (other !== event) breaker.on(other, () => {});
      await act('during').catch(() => {});
      off();
      await act('after').catch(() => {});
      expect(heard).toEqual(['alone', 'during']);
    },
  );

  test('S25: of other events alone leave good calls their short way', async () => {
    const { breaker } = setUp({ failureThreshold: 9 });
    const long = vi.spyOn(breaker as unknown as { settle(): void }, 'settle');
    for (const event of ['opened', 'closed', 'rejected', 'forced', 'failed'] as const) breaker.on(event, () => {});
    await succeed(breaker);
    expect(long).not.toHaveBeenCalled();
    await fail(breaker);
    breaker.on('succeeded', () => {});
    await succeed(breaker);
    expect(long).toHaveBeenCalledTimes(2);
  });
});
