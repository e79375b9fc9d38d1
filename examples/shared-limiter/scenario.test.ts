import { expect, test, vi } from 'vitest';
import { oneLimiter, oneLimiterManyBreakers, play } from './scenario.ts';

test('under one limiter a service that hangs takes the places of all', async () => {
  const { search, stock, payments } = await play(oneLimiter);
  expect(payments?.answered).toBe(0);
  for (const tally of [search, stock]) expect(tally?.answered).toBeLessThan(500);
});

test('with a breaker for each service it takes them only until its own has opened', async () => {
  const { search, stock, payments } = await play(oneLimiterManyBreakers);
  expect(payments).toMatchObject({ answered: 0 });
  for (const tally of [search, stock]) {
    expect(tally?.answered).toBeGreaterThan(900);
    expect(tally?.failed).toBe(0);
  }
});

test('the example prints both', async () => {
  const lines: unknown[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((line) => lines.push(line));
  await import('./main.ts');
  print.mockRestore();
  expect(lines.join('\n')).toMatch(/one limiter, a breaker for each service\n {2}search {4}answered 9\d\d, failed 0/);
});
