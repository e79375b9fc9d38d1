import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseRecording } from './parse.ts';
import { type Outcome, outcomes, type Recording } from './recording.ts';

const header = 't_ms,dependency,operation,duration_ms,outcome,status';
const of = (...rows: string[]) => parseRecording([header, ...rows].join('\n'));

interface Call {
  readonly at: number;
  readonly name: string;
  readonly took: number;
  readonly outcome: Outcome;
}

const callsOf = (recording: Recording): Call[] =>
  [...recording.startMs].map((at, row) => ({
    at,
    name: recording.dependencies[recording.dependency[row] as number] as string,
    took: recording.durationMs[row] as number,
    outcome: outcomes[recording.outcome[row] as number] as Outcome,
  }));

const anyMs = fc.double({ min: 0, max: 1e9, noNaN: true }).map((ms) => Math.abs(Math.round(ms * 1000) / 1000));
const anyCall = fc.record({
  at: anyMs,
  name: fc.string({ minLength: 1 }).filter((name) => name.trim() === name && !/[\r\n\uFEFF]/.test(name)),
  took: anyMs,
  outcome: fc.constantFrom(...outcomes),
});
const anyColumns = fc.shuffledSubarray([...header.split(','), 'trace_id'], { minLength: 7 });

test('any well-formed recording comes back in the order of its starts, whatever the order of rows and columns', () => {
  fc.assert(
    fc.property(fc.array(anyCall, { minLength: 1 }), anyColumns, (calls, columns) => {
      const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`;
      const rows = calls.map(({ at, name, took, outcome }) => {
        const cells: Record<string, string> = {
          t_ms: `${at}`,
          dependency: quoted(name),
          duration_ms: `${took}`,
          outcome,
        };
        return columns.map((column) => cells[column] ?? '').join(',');
      });
      const recording = parseRecording([columns.join(','), ...rows].join('\r\n'));
      const sorted = [...calls].sort((a, b) => a.at - b.at);
      expect(callsOf(recording)).toEqual(sorted);
      expect(recording.dependencies).toEqual([...new Set(sorted.map(({ name }) => name))]);
    }),
  );
});

test('the status that the upstream sends tells the outcome, whatever was recorded', () => {
  const statuses = (outcome: Outcome, ...recorded: string[]) => [
    ...of(...recorded.map((status) => `0,a,op,1,${outcome},${status}`)).status,
  ];
  expect(statuses('ok', '', '200', '302', '503', 'OK')).toEqual([200, 200, 302, 200, 200]);
  expect(statuses('slow', '', '204')).toEqual([200, 204]);
  expect(statuses('client_error', '', '404', '500')).toEqual([400, 404, 400]);
  // 0 is a connection that breaks.
  expect(statuses('error', '', '503', '0', '200', '14', 'DEADLINE_EXCEEDED')).toEqual([500, 503, 0, 500, 500, 500]);
});

const good = '0,a,op,1,ok,';
test.each([
  ['an empty file', '', 'line 1, column 1 (t_ms): the file is empty; a header was expected'],
  ['a header alone', `${header}\n`, 'line 2, column 1 (t_ms): the file holds a header and no calls'],
  [
    'a missing column',
    't_ms,dependency,operation,duration_ms,status\n0,a,op,1,',
    'line 1, column 6 (outcome): this column is missing; the header names "t_ms", "dependency", "operation", "duration_ms", "status"',
  ],
  ['a column named twice', `${header},t_ms\n${good},1`, 'line 1, column 7 (t_ms): this column is named twice'],
  [
    'too few fields',
    `${header}\n${good}\n1,a,op,1`,
    'line 3, column 5 (outcome): the header has 6 fields, this line 4',
  ],
  ['too many fields', `${header}\n${good},x`, 'line 2, column 7: the header has 6 fields, this line 7'],
  [
    'a negative duration',
    `${header}\n0,a,op,-1,ok,`,
    'line 2, column 4 (duration_ms): expected milliseconds, a number of at least 0, got "-1"',
  ],
  [
    'no number',
    `${header}\n${good}\nNaN,a,op,1,ok,`,
    'line 3, column 1 (t_ms): expected milliseconds, a number of at least 0, got "NaN"',
  ],
  [
    'an empty number',
    `${header}\n0,a,op,,ok,`,
    'line 2, column 4 (duration_ms): expected milliseconds, a number of at least 0, got ""',
  ],
  [
    'an infinite number',
    `${header}\n1e999,a,op,1,ok,`,
    'line 2, column 1 (t_ms): expected milliseconds, a number of at least 0, got "1e999"',
  ],
  ['no name', `${header}\n0, ,op,1,ok,`, 'line 2, column 2 (dependency): expected a name, got " "'],
  [
    'an unknown outcome',
    `${header}\n0,a,op,1,fine,`,
    'line 2, column 5 (outcome): expected one of ok, error, slow, client_error, got "fine"',
  ],
  ['text that would move the cursor', `${header}\n0,a,op,1,\u001b[2J\u009b,`, 'got "\\u001b[2J?"'],
  [
    'such text in a header',
    `${header},\u001b[2J\u009b\n${good}`,
    'line 2, column 7 (\\u001b[2J?): the header has 7 fields, this line 6',
  ],
  [
    'a line that is no header at all',
    ','.repeat(100_000),
    `line 1, column 100002 (t_ms): this column is missing; the header names ${Array(12).fill('""').join(', ')} and 99989 more`,
  ],
])('%s is an error that names line and column', (_what, text, message) => {
  expect(() => parseRecording(text)).toThrow(message);
});

test('27,000 rows are read in under a second', () => {
  const row = (i: number) => `${i},service-${i % 10},frontend shop.Service${i % 10}/Get,${(i % 90) + 0.5},ok,200`;
  const text = [header, ...Array.from({ length: 27_000 }, (_, i) => row(i))].join('\n');
  const startedAt = performance.now();
  expect(parseRecording(text).startMs.length).toBe(27_000);
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
