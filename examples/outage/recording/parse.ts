import { BadFileError } from './bad-file.ts';
import { csvRows } from './csv.ts';
import { type Outcome, outcomes, type Recording, statusOf } from './recording.ts';

const required = ['t_ms', 'dependency', 'operation', 'duration_ms', 'outcome', 'status'] as const;
type Column = (typeof required)[number];

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/;
const mostListed = 12;

/** Beyond this a double no longer tells milliseconds apart. */
const latestMs = Number.MAX_SAFE_INTEGER;

/**
 * Reads a recording in the common form. Columns are found by their names, in any order, beside any others; rows may be out
 * of order, as in a log written when calls end.
 *
 * @throws BadFileError naming line and column
 */
export function parseRecording(text: string): Recording {
  const rows = csvRows(text);
  const header = rows.next();
  if (header.done === true) throw BadFileError.at(1, 1, 't_ms', 'the file is empty; a header was expected');
  const names = header.value.fields.map((name) => name.trim());
  const place = columnPlaces(names, header.value.line);

  const known = new Map<string, number>();
  const startMs: number[] = [];
  const durationMs: number[] = [];
  const dependency: number[] = [];
  const outcome: number[] = [];
  const status: number[] = [];
  let last = header.value.line;
  for (const { line, fields } of rows) {
    last = line;
    if (fields.length !== names.length) {
      const column = Math.min(fields.length, names.length) + 1;
      throw BadFileError.at(
        line,
        column,
        column > names.length ? undefined : shown(names[column - 1] as string),
        `the header has ${names.length} fields, this line ${fields.length}`,
      );
    }
    const fault = (column: Column, what: string) =>
      BadFileError.at(line, place[column] + 1, column, `${what}, got ${quote(fields[place[column]] as string)}`);
    const text = (column: Column) => (fields[place[column]] as string).trim();
    const number = (column: Column): number => {
      const field = text(column);
      const value = decimal.test(field) ? Number(field) : Number.NaN;
      if (value >= 0 && value <= latestMs) return value;
      throw fault(column, 'expected milliseconds, a number of at least 0');
    };
    const at = number('t_ms');
    const name = text('dependency');
    if (name === '') throw fault('dependency', 'expected a name');
    const took = number('duration_ms');
    const word = text('outcome');
    const code = outcomes.indexOf(word as Outcome);
    if (code === -1) throw fault('outcome', `expected one of ${outcomes.join(', ')}`);
    let index = known.get(name);
    if (index === undefined) known.set(name, (index = known.size));
    startMs.push(at);
    durationMs.push(took);
    dependency.push(index);
    outcome.push(code);
    status.push(statusOf(word as Outcome, text('status')));
  }
  if (startMs.length === 0) throw BadFileError.at(last + 1, 1, 't_ms', 'the file holds a header and no calls');
  const recording: Recording = {
    dependencies: [...known.keys()],
    startMs: Float64Array.from(startMs),
    durationMs: Float64Array.from(durationMs),
    dependency: Uint32Array.from(dependency),
    outcome: Uint8Array.from(outcome),
    status: Uint16Array.from(status),
  };
  return inOrder(recording);
}

function columnPlaces(names: readonly string[], line: number): Record<Column, number> {
  const place = {} as Record<Column, number>;
  for (const column of required) {
    place[column] = names.indexOf(column);
    if (place[column] === -1) {
      throw BadFileError.at(
        line,
        names.length + 1,
        column,
        `this column is missing; the header names ${listed(names)}`,
      );
    }
    const again = names.indexOf(column, place[column] + 1);
    if (again !== -1) throw BadFileError.at(line, again + 1, column, 'this column is named twice');
  }
  return place;
}

function inOrder(recording: Recording): Recording {
  const { startMs } = recording;
  if (startMs.every((at, i) => i === 0 || at >= (startMs[i - 1] as number))) return recording;
  const order = Uint32Array.from(startMs.keys()).sort(
    (a, b) => (startMs[a] as number) - (startMs[b] as number) || a - b,
  );
  const first = new Map<number, number>();
  for (const row of order) {
    const index = recording.dependency[row] as number;
    if (!first.has(index)) first.set(index, first.size);
  }
  return {
    dependencies: [...first.keys()].map((index) => recording.dependencies[index] as string),
    startMs: Float64Array.from(order, (row) => startMs[row] as number),
    durationMs: Float64Array.from(order, (row) => recording.durationMs[row] as number),
    dependency: Uint32Array.from(order, (row) => first.get(recording.dependency[row] as number) as number),
    outcome: Uint8Array.from(order, (row) => recording.outcome[row] as number),
    status: Uint16Array.from(order, (row) => recording.status[row] as number),
  };
}

/** Other people's text in an error: short, and without characters that move a terminal's cursor. */
function quote(text: string): string {
  const short = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text);
  return short.replace(/[\p{Cc}\p{Cf}]/gu, '?');
}

const shown = (text: string): string => quote(text).slice(1, -1);

/** A file that is no CSV may be one line of a million commas. */
function listed(names: readonly string[]): string {
  const more = names.length > mostListed ? ` and ${names.length - mostListed} more` : '';
  return names.slice(0, mostListed).map(quote).join(', ') + more;
}
