import { expect, test } from 'vitest';
import type { DependencyReport, Report, Snapshot } from '../report.ts';
import { frame } from './live.ts';
import { duration, moment, share } from './numbers.ts';
import { colours, noColours } from './palette.ts';
import { summary } from './summary.ts';
import { fit, wrap } from './text.ts';

const quiet: DependencyReport = {
  name: 'stock',
  calls: 11_864,
  ok: 11_852,
  failures: 12,
  refused: 0,
  opened: 0,
  timeSpentMs: 74_000,
  bareTimeSpentMs: 74_100,
  bareFailures: 12,
  transitions: [],
};
const hung: DependencyReport = {
  ...quiet,
  name: 'payments, third party',
  calls: 900,
  ok: 400,
  failures: 60,
  refused: 440,
  opened: 2,
  timeSpentMs: 312_000,
  bareTimeSpentMs: 16_200_000,
  bareFailures: 500,
  transitions: [
    {
      atMs: 45_000,
      from: 'closed',
      to: 'open',
      why: 'failure rate 83 % of 42 calls in 20 s, threshold 50 % (TimeoutError ×32)',
    },
    { atMs: 55_100, from: 'open', to: 'half-open', why: 'the sleep window of 10 s is over' },
    { atMs: 60_100, from: 'half-open', to: 'open', why: 'a probe failed (TimeoutError ×1)' },
    { atMs: 70_200, from: 'open', to: 'half-open', why: 'the sleep window of 10 s is over' },
    { atMs: 70_400, from: 'half-open', to: 'closed', why: '2 of 2 probes succeeded' },
  ],
};
const report: Report = {
  trace: 'a.csv',
  seed: 1,
  speed: 4,
  fromMs: 0,
  toMs: 120_000,
  dependencies: [hung, quiet, { ...quiet, name: 'users', calls: 0 }],
};

test('the end of a run fits 80 columns: table, timeline, why, and what it was good for', () => {
  const lines = summary(report, 80, noColours);
  for (const line of lines) expect(line.length).toBeLessThanOrEqual(80);
  expect(lines.join('\n')).toMatchInlineSnapshot(`
    "                                ─ through a breaker ────────  ─ bare ─────
      dependency             calls failed refused opened    time failed   time
    ● payments, third party    900     60     440      2 5.2 min    500  4.5 h
    ● stock                 11,864     12       0      0    74 s     12 74.1 s
      all                   12,764     72     440      2 6.4 min    512  4.5 h
      1 more without a call between 0:00 and 2:00

                            ─ closed   ✕ open   ◐ half-open
      payments, third party ─────────────────────✕✕✕✕◐◐◐◐✕✕✕◐───────────────────────
      stock                 ────────────────────────────────────────────────────────
                            ╵0:00       ╵0:25       ╵0:51       ╵1:17       ╵1:42

        0:45 ✕ payments, third party open: failure rate 83 % of 42 calls in 20 s,
                 threshold 50 % (TimeoutError ×32)

    Callers spent 7.7 min waiting instead of 4.5 h; 440 calls were refused at once."
  `);
});

test('a terminal of 40 columns gets the end of a run in 40 columns: names are cut, and columns go', () => {
  const long = { ...hung, name: 'https://payments.example.com/v1/accounts/transfers' };
  const lines = summary({ ...report, dependencies: [long, quiet] }, 40, noColours);
  for (const line of lines) expect(line.length, line).toBeLessThanOrEqual(40);
  expect(lines.slice(0, 3)).toEqual([
    '                    through a br…  bare─',
    '  dependen…  calls failed    time   time',
    '● https://…    900     60 5.2 min  4.5 h',
  ]);
});

test('a run in which nothing opened says so', () => {
  expect(summary({ ...report, dependencies: [{ ...quiet, failures: 0 }] }, 80, noColours).at(-1)).toBe(
    'Nothing opened.',
  );
  expect(summary({ ...report, dependencies: [quiet] }, 80, noColours).join(' ')).toContain('too small a share');
});

const live: Snapshot = {
  atMs: 66_000,
  dependencies: [hung, quiet],
  live: [
    { state: 'open', waiting: 0, bareWaiting: 240 },
    { state: 'closed', waiting: 1, bareWaiting: 1 },
  ],
};
const start: Snapshot = {
  ...live,
  atMs: 56_000,
  dependencies: [
    { ...hung, calls: 700, refused: 260, timeSpentMs: 307_000, bareTimeSpentMs: 14_000_000 },
    { ...quiet, calls: 11_000, timeSpentMs: 68_000, bareTimeSpentMs: 68_000 },
  ],
};
const scene = { title: 'Recloser, outage demo: a.csv', speed: 4, fromMs: 0, toMs: 120_000, snapshots: [start, live] };

test('the live view shows state by shape, word and colour, rates, times, and why', () => {
  expect(frame(scene, { columns: 80, rows: 24 }, noColours).join('\n')).toMatchInlineSnapshot(`
    "  Recloser, outage demo: a.csv                                          speed 4
      ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━───────────────────────────── 1:06 of 2:00

      dependency                state      calls/s failed refused time/call    bare
    ✕ payments, third party     open          20.0    0 %    90 %     25 ms    11 s
    ● stock                     closed        86.4    0 %     0 %    6.9 ms  7.1 ms

        0:45 ✕ payments, third party open: failure rate 83 % of 42 calls in 20 s,
                 threshold 50 % (TimeoutError ×32)
        0:55 ◐ payments, third party half-open: the sleep window of 10 s is over
        1:00 ✕ payments, third party open: a probe failed (TimeoutError ×1)
        1:10 ◐ payments, third party half-open: the sleep window of 10 s is over
        1:10 ● payments, third party closed: 2 of 2 probes succeeded"
  `);
  expect(frame(scene, { columns: 80, rows: 24 }, colours).join('\n')).toContain('\u001b[1;31m✕\u001b[0m');
});

test('the live view fits any terminal, the troubled first', () => {
  const many = (one: Snapshot): Snapshot => ({
    ...one,
    dependencies: [...Array.from({ length: 30 }, (_, i) => ({ ...quiet, name: `calm-${i}` })), hung],
    live: [
      ...Array.from({ length: 30 }, () => ({ state: 'closed' as const, waiting: 0, bareWaiting: 0 })),
      live.live[0]!,
    ],
  });
  for (const [columns, rows] of [
    [80, 24],
    [61, 12],
    [40, 24],
    [200, 60],
  ] as const) {
    const lines = frame({ ...scene, snapshots: [many(start), many(live)] }, { columns, rows }, noColours);
    expect(lines.length).toBeLessThan(rows);
    for (const line of lines) expect(line.length).toBeLessThan(columns);
    expect(lines.join('\n')).toContain('✕ paym');
  }
});

test('numbers are short and have units', () => {
  expect([7.42, 598.6, 999.6, 12_340, 99_960, 552_000, 7_500_000, 908_248_000].map(duration)).toEqual([
    '7.4 ms',
    '599 ms',
    '1 s',
    '12.3 s',
    '1.7 min',
    '9.2 min',
    '2.1 h',
    '10.5 d',
  ]);
  expect([0, 83_400, 7_500_000, 596_851_000].map((ms) => moment(ms))).toEqual([
    '0:00',
    '1:23',
    '2:05:00',
    '6d 21:47:31',
  ]);
  expect(moment(83_450, true)).toBe('1:23.4');
  expect([share(0, 10), share(1, 250), share(98, 100), share(0, 0)]).toEqual(['0 %', '0.4 %', '98 %', '–']);
});

test('names of other people do not move the cursor', () => {
  expect(fit('a\u001b[2J\n\u202eb', 12)).toBe('a?[2J??b    ');
  expect(fit('a very long name', 8)).toBe('a very …');
});

test('a wide character takes two columns, also where a name is cut or a line broken', () => {
  expect(fit('決済', 6)).toBe('決済  ');
  expect(fit('決済サービス', 8)).toBe('決済サ… ');
  expect(fit('決', 1)).toBe('…');
  expect(fit('a', 0)).toBe('');
  expect(wrap('決済サービス opened', 9, '  ')).toEqual(['決済サ', '  ービス', '  opened']);
  expect(wrap('決済😀', 1, '')).toEqual(['決', '済', '😀']);
  expect(wrap('two  spaces', 20, '')).toEqual(['two  spaces']);
  expect(fit('e\u0301', 2)).toBe('e\u0301 ');
});
