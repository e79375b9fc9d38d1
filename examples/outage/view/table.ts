import type { DependencyReport } from '../report.ts';
import { count, duration } from './numbers.ts';
import { lookOf, type Palette, type Style } from './palette.ts';
import { fit } from './text.ts';

type Row = Omit<DependencyReport, 'transitions'>;

interface Column {
  readonly group: '' | 'through a breaker' | 'bare';
  readonly title: string;
  cell(row: Row): string;
  style?(row: Row): Style | undefined;
}

const badIf = (n: number): Style | undefined => (n > 0 ? 'bad' : undefined);
const guarded = 'through a breaker';
const ok: Column = { group: guarded, title: 'ok', cell: (row) => count(row.ok) };
const columns: readonly Column[] = [
  { group: '', title: 'calls', cell: ({ calls }) => count(calls) },
  ok,
  {
    group: guarded,
    title: 'failed',
    cell: ({ failures }) => count(failures),
    style: ({ failures }) => badIf(failures),
  },
  { group: guarded, title: 'refused', cell: ({ refused }) => count(refused) },
  { group: guarded, title: 'opened', cell: ({ opened }) => count(opened), style: ({ opened }) => badIf(opened) },
  { group: guarded, title: 'time', cell: ({ timeSpentMs }) => duration(timeSpentMs) },
  { group: 'bare', title: 'failed', cell: (row) => count(row.bareFailures), style: (row) => badIf(row.bareFailures) },
  { group: 'bare', title: 'time', cell: ({ bareTimeSpentMs }) => duration(bareTimeSpentMs) },
];

/** What callers got and what it cost them, through a breaker and without; one line a dependency that was called. */
export function table(dependencies: readonly DependencyReport[], width: number, paint: Palette): string[] {
  const called = dependencies.filter((dependency) => dependency.calls > 0);
  const sum = called.length > 1 ? [total(called)] : [];
  const rows = [...called, ...sum];
  const names = Math.max('dependency'.length, ...called.map(({ name }) => [...name].length));
  const shown = layout(rows, width - 2 - names);
  const nameWidth = Math.max(8, Math.min(names, width - 2 - shown.reduce((all, column) => all + column.width, 0)));

  const cells = (row: Row): string =>
    shown
      .map(({ cell, style, width }) => {
        const text = cell(row).padStart(width);
        const look = style?.(row);
        return look === undefined ? text : paint(look, text);
      })
      .join('');
  const heads = shown.map(({ title, width }) => title.padStart(width)).join('');
  return [
    paint('quiet', ' '.repeat(2 + nameWidth) + groupHeads(shown)),
    paint('quiet', `  ${fit('dependency', nameWidth)}${heads}`),
    ...called.map((row) => {
      const { shape, style } = lookOf(row.transitions.at(-1)?.to ?? 'closed');
      return `${paint(style, shape)} ${fit(row.name, nameWidth)}${cells(row)}`;
    }),
    ...sum.map((row) => `  ${paint('strong', fit(row.name, nameWidth))}${cells(row)}`),
  ];
}

type Sized = Column & { readonly width: number };

/** Where names need the room, columns move together, and then the one goes that the others imply. */
function layout(rows: readonly Row[], room: number): readonly Sized[] {
  const sized = (gap: number, of: readonly Column[]): Sized[] =>
    of.map((column) => ({
      ...column,
      width: gap + Math.max(column.title.length, ...rows.map((row) => column.cell(row).length)),
    }));
  const fits = (layout: readonly Sized[]) => layout.reduce((all, { width }) => all + width, 0) <= room;
  const implied = columns.filter((column) => column !== ok);
  return [sized(2, columns), sized(1, columns), sized(2, implied)].find(fits) ?? sized(1, implied);
}

function groupHeads(shown: readonly Sized[]): string {
  const groups = [...new Set(shown.map(({ group }) => group))];
  return groups
    .map((group) => {
      const width = shown.filter((column) => column.group === group).reduce((all, column) => all + column.width, 0);
      return group === '' ? ' '.repeat(width) : `  ${`─ ${group} `.padEnd(width - 2, '─')}`;
    })
    .join('');
}

function total(dependencies: readonly Row[]): Row {
  const sum = (of: (row: Row) => number) => dependencies.reduce((all, one) => all + of(one), 0);
  return {
    name: 'all',
    calls: sum(({ calls }) => calls),
    ok: sum(({ ok }) => ok),
    failures: sum(({ failures }) => failures),
    refused: sum(({ refused }) => refused),
    opened: sum(({ opened }) => opened),
    timeSpentMs: sum(({ timeSpentMs }) => timeSpentMs),
    bareTimeSpentMs: sum(({ bareTimeSpentMs }) => bareTimeSpentMs),
    bareFailures: sum(({ bareFailures }) => bareFailures),
  };
}
