import fc from 'fast-check';
import { expect, test } from 'vitest';
import { csvRows } from './csv.ts';

const rowsOf = (text: string) => [...csvRows(text)].map(({ fields }) => fields);

const written = (field: string, always: boolean): string =>
  always || /[",\r\n]/.test(field) ? `"${field.replaceAll('"', '""')}"` : field;

const anyField = fc.string({ unit: fc.constantFrom('a', 'é', ' ', ',', '"', '\n', '\r', '0') });
const anyRow = fc.array(fc.tuple(anyField, fc.boolean()), { minLength: 2, maxLength: 5 });

test('any rows come back as they were written, whatever the line ends, with or without a byte order mark', () => {
  const anyText = fc.tuple(fc.array(anyRow), fc.constantFrom('\n', '\r\n'), fc.boolean(), fc.boolean());
  fc.assert(
    fc.property(anyText, ([rows, lineEnd, mark, lastEnd]) => {
      const lines = rows.map((row) => row.map(([field, always]) => written(field, always)).join(','));
      const text = `${mark ? '\uFEFF' : ''}${lines.join(lineEnd)}${lastEnd ? lineEnd : ''}`;
      expect(rowsOf(text)).toEqual(rows.map((row) => row.map(([field]) => field)));
    }),
  );
});

test('a row knows its line, also after fields that hold line ends', () => {
  expect([...csvRows('a,b\n"x\ny",1\n\n2,3\n')].map(({ line }) => line)).toEqual([1, 2, 5]);
});

test.each([
  ['a,b\n1,"never\nclosed', 'line 2, column 2: a quote is opened here and never closed'],
  ['a,b\n"closed"x,1', 'line 2, column 1: text after the closing quote'],
  ['a,b\n1,2"3', 'line 2, column 2: a quote inside a field that does not begin with one'],
])('a quote out of place is told with line and column: %j', (text, message) => {
  expect(() => rowsOf(text)).toThrow(message);
});
