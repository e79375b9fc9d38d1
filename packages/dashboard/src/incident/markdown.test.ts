import { circuitBreaker } from 'recloser';
import { manualClock } from 'recloser/testing';
import { expect, test } from 'vitest';
import { detailOf } from '../feed/detail.ts';
import { Feed } from '../feed/feed.ts';
import type { Detail, Incident } from '../protocol/detail.ts';
import { readIncident } from '../protocol/trust.ts';
import { markdownOf } from './markdown.ts';
import { snapshotOf } from './open.ts';

async function incident(): Promise<Incident> {
  const clock = manualClock();
  const breaker = circuitBreaker({ name: 'pay|ments', failureThreshold: 2, clock });
  const feed = new Feed(
    { breakers: [breaker], instance: 'a', clock, historyBytes: 2 ** 20, report: () => {} },
    () => {},
  );
  for (let i = 0; i < 2; i++)
    await breaker.execute(() => Promise.reject(new Error('<b>*down*</b> [x](http://evil)'))).catch(() => {});
  breaker.forceOpen({ reason: 'vendor\nincident', by: 'ana', expiresInMs: 60_000 });
  await clock.advance(1_000);
  const breakers = [detailOf(feed, 'pay|ments') as Detail];
  feed.close();
  return { format: 'recloser-incident', version: 1, title: 'prod', recordedAt: 1_700_000_000_000, breakers };
}

test('it says what is, why, what happened, and what was configured', async () => {
  const text = markdownOf(await incident());
  expect(text).toContain('# prod: pay\\|ments');
  expect(text).toContain(
    'forced-open by ana (vendor incident) for another 59 s; underneath: open for 1 s: 2 consecutive failures',
  );
  expect(text).toMatch(/\| closed → open \| 2 consecutive failures \(Error ×2\); probes in 30 s \|/);
  expect(text).toMatch(/\| open → forced-open \| forced by ana for 1 min: vendor incident \|/);
  expect(text).toContain('trip.threshold 2');
});

test('nothing in it is markup of somebody else', async () => {
  const text = markdownOf(await incident());
  expect(text).toContain('\\<b\\>\\*down\\*\\</b\\> \\[x\\](http://evil)');
  expect(
    text
      .split('\n')
      .filter((line) => line.startsWith('| '))
      .every((line) => line.match(/(?<!\\)\|/g)?.length === 4),
  ).toBe(true);
});

test('nor in the states that an incident of somebody else has', async () => {
  const { breakers, ...rest } = await incident();
  const [{ entries, ...detail }] = breakers as [Detail];
  const [entry] = entries as [Detail['entries'][0]];
  const forged = { ...entry, to: '<img src=x> [click](http://evil) |\n# PWNED' as 'open' };
  const text = markdownOf({ ...rest, breakers: [{ ...detail, entries: [forged] }] });
  expect(text).toContain('closed → \\<img src=x\\> \\[click\\](http://evil) \\| \\# PWNED |');
});

test('as JSON it opens again: the same rows, the same history', async () => {
  const first = await incident();
  const again = readIncident(JSON.parse(JSON.stringify(first)));
  expect(markdownOf(again)).toBe(markdownOf(first));
  const { instances, entries } = snapshotOf(again);
  expect(instances[0]?.rows).toEqual(JSON.parse(JSON.stringify(first.breakers.map(({ row }) => row))));
  expect(entries).toHaveLength(2);
});
