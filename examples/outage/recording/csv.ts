import { BadFileError } from './bad-file.ts';

export interface CsvRow {
  /** Where the row begins, from 1. */
  readonly line: number;
  readonly fields: readonly string[];
}

/**
 * The rows of a CSV text (RFC 4180: quoted fields may hold commas, line ends and doubled quotes). A byte order mark, CRLF
 * and blank lines are taken as they come.
 *
 * @throws BadFileError for a quote that is out of place or never closed
 */
export function* csvRows(text: string): Generator<CsvRow> {
  let at = text.startsWith('\uFEFF') ? 1 : 0;
  for (let line = 1; at < text.length; ) {
    const lineEnd = text.indexOf('\n', at);
    const end = lineEnd === -1 ? text.length : lineEnd;
    const plain = text.slice(at, text[end - 1] === '\r' ? end - 1 : end);
    if (plain.includes('"')) {
      const row = quotedRow(text, at, line);
      yield { line, fields: row.fields };
      at = row.next;
      line = row.nextLine;
    } else {
      // Most files hold no quote at all, and splitting is ten times faster than walking.
      if (plain.trim() !== '') yield { line, fields: plain.split(',') };
      at = end + 1;
      line++;
    }
  }
}

function quotedRow(
  text: string,
  from: number,
  firstLine: number,
): { fields: string[]; next: number; nextLine: number } {
  const fields: string[] = [];
  let line = firstLine;
  let at = from;
  for (;;) {
    const fault = (what: string, onLine = line) => BadFileError.at(onLine, fields.length + 1, undefined, what);
    let field = '';
    if (text[at] === '"') {
      const opened = line;
      for (at++; ; ) {
        const close = text.indexOf('"', at);
        if (close === -1) throw fault('a quote is opened here and never closed', opened);
        const part = text.slice(at, close);
        line += part.split('\n').length - 1;
        field += part;
        at = close + 1;
        if (text[at] !== '"') break;
        field += '"';
        at++;
      }
    } else {
      const start = at;
      while (at < text.length && text[at] !== ',' && text[at] !== '\n') {
        if (text[at] === '"') throw fault('a quote inside a field that does not begin with one');
        at++;
      }
      field = text.slice(start, at);
      if (text[at] !== ',' && field.endsWith('\r')) field = field.slice(0, -1);
    }
    if (text[at] === '\r' && (at + 1 === text.length || text[at + 1] === '\n')) at++;
    if (at < text.length && text[at] !== ',' && text[at] !== '\n') throw fault('text after the closing quote');
    fields.push(field);
    if (text[at] !== ',') return { fields, next: at + 1, nextLine: line + 1 };
    at++;
  }
}
