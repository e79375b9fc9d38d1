import { circuitBreaker } from 'recloser';
import { hystrix } from 'recloser/telemetry/hystrix';
import { log } from 'recloser/telemetry/log';
import { manualClock } from 'recloser/testing';
import { expect, test } from 'vitest';
import { growthOfHeap } from '../support/heap.ts';

test('S29: 50,000 breakers that come and go without a word are kept alive by nobody who watches', async () => {
  const clock = manualClock();
  const stream = hystrix({ clock });
  const silent = (): void => {};
  const stop = log({ info: silent, warn: silent, error: silent }, { clock });
  let made = 0;
  const visit = async (): Promise<void> => {
    for (let i = 0; i < 50_000; i++) {
      const passing = circuitBreaker({ name: `passing ${made++}`, clock });
      passing.forceOpen();
      if (i % 50 === 0) {
        await passing.execute(silent).catch(silent);
        await clock.advance(1_000);
      }
    }
    await clock.advance(20_000);
  };
  try {
    expect(await growthOfHeap(visit)).toBeLessThan(2 ** 20);
    expect(clock.pending).toBe(0);
  } finally {
    stream.close();
    stop();
  }
}, 60_000);
