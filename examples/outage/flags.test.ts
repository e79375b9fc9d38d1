import { expect, test } from 'vitest';
import { parseFlags } from './flags.ts';

test('without flags the default recording plays', () => {
  expect(parseFlags([])).toEqual({
    trace: undefined,
    speed: undefined,
    fromMs: undefined,
    toMs: undefined,
    seed: 1,
    json: false,
    dashboard: true,
    open: undefined,
    help: false,
  });
});

test('the page is there unless it is not wanted, or instead of a run', () => {
  expect(parseFlags(['--no-dashboard'])).toMatchObject({ dashboard: false });
  expect(parseFlags(['--open', 'a.json'])).toMatchObject({ open: 'a.json' });
});

test('moments are milliseconds, or have a unit', () => {
  expect(parseFlags(['--from', '1500', '--to', '45s'])).toMatchObject({ fromMs: 1_500, toMs: 45_000 });
  expect(parseFlags(['--from=0.5m', '--to=2d'])).toMatchObject({ fromMs: 30_000, toMs: 172_800_000 });
});

test.each([
  [['--sped', '3'], "Unknown option '--sped'"],
  [['file.csv'], "Unexpected argument 'file.csv'"],
  [['--speed'], "Option '--speed <value>' argument missing"],
  [['--speed', '0'], '--speed: must be a number from 0.01 to 1000, got "0"'],
  [['--speed', 'fast'], '--speed: must be a number from 0.01 to 1000, got "fast"'],
  [['--speed', 'Infinity'], '--speed: must be a number from 0.01 to 1000, got "Infinity"'],
  [['--seed', '1.5'], '--seed: must be an integer from 0 to 4294967295, got "1.5"'],
  [['--from', 'noon'], '--from: must be a moment of the recording, such as 45000 (ms), 45s or 2m, got "noon"'],
  [['--from', '2m', '--to', '90s'], '--to: must not lie before --from (120000), got 90000'],
])('%j is refused by name, range and value', (args, message) => {
  expect(() => parseFlags(args)).toThrow(message);
});
