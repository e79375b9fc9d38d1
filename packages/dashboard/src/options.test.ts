import { expect, test } from 'vitest';
import { readOptions } from './options.ts';

test('functions that are async by mistake have no answer, and what they reject with is told', async () => {
  const told: unknown[] = [];
  const broken = new Error('async by mistake');
  const late = (() => Promise.reject(broken)) as never;
  const onError = (fault: unknown) => void told.push(fault);
  const { redact, traceId } = readOptions({ breakers: [], redact: late, traceId: late, onError });
  expect([redact('secret'), traceId()]).toEqual(['…', undefined]);
  await new Promise(setImmediate);
  expect(told).toEqual([broken, broken]);
});
