import type { DependencyReport } from '../report.ts';
import { count, duration } from './numbers.ts';
import { lookOf, type Palette, type Style } from './palette.ts';
import { columnsOf, fit } from './text.ts';

type Row = Omit<DependencyReport, 'transitions'>;

interface Column {
  readonly group: '' | 'through a breaker' | 'bare';
  readonly title: string;
  cell(row: Row): string;
  style?(row: Row): Style | undefined;
}

const badIf = (n: number): Style | undefined => (n > 0 ? 'bad' : undefined);
const guarded = 'through a breaker';
const calls: Column = { group: '', title: 'calls', cell: (row) => count(row.calls) };
const ok: Column = { group: guarded, title: 'ok', cell: (row) => count(row.ok) };
const refused: Column = { group: guarded, title: 'refused', cell: (row) => count(row.refused) };
const opened: Column = {
  group: guarded,
  title: 'opened',
  cell: (row) => count(row.opened),
  style: (row) => badIf(row.opened),
};
const bareFailed: Column = {
  group: 'bare',
  title: 'failed',
  cell: (row) => count(row.bareFailures),
  style: (row) => badIf(row.bareFailures),
};
const columns: readonly Column[] = [
  calls,
  ok,
  {
    group: guarded,
    title: 'failed',
    cell: ({ failures }) => count(failures),
    style: ({ failures }) => badIf(failures),
  },
  refused,
  opened,
  { group: guarded, title: 'time', cell: ({ timeSpentMs }) => duration(timeSpentMs) },
  bareFailed,
  { group: 'bare', title: 'time', cell: ({ bareTimeSpentMs }) => duration(bareTimeSpentMs) },
];
/** What gives way where there is no room, first the one that the others imply. */
const goFirst: readonly Column[] = [ok, bareFailed, refused, opened, calls];
const shortestName = 8;

/** What callers got and what it cost them, through a breaker and without; one line a dependency that was called. */
export function table(dependencies: readonly DependencyReport[], width: number, paint: Palette): string[] {
  const called = dependencies.filter((dependency) => dependency.calls > 0);
  const sum = called.length > 1 ? [total(called)] : [];
  const rows = [...called, ...sum];
  const names = Math.max('dependency'.length, ...called.map(({ name }) => columnsOf(name)));
  const shown = layout(rows, width - 2, names);
  const nameWidth = Math.max(
    shortestName,
    Math.min(names, width - 2 - shown.reduce((all, column) => all + column.width, 0)),
  );

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

/**
 * Where names need the room, columns move together, and then the one goes that the others imply. On a narrow terminal names
 * are cut, and more columns go.
 */
function layout(rows: readonly Row[], width: number, names: number): readonly Sized[] {
  const sized = (gap: number, of: readonly Column[]): Sized[] =>
    of.map((column) => ({
      ...column,
      width: gap + Math.max(column.title.length, ...rows.map((row) => column.cell(row).length)),
    }));
  const fits = (nameWidth: number) => (layout: readonly Sized[]) =>
    layout.reduce((all, { width }) => all + width, nameWidth) <= width;
  const without = (n: number) => columns.filter((column) => !goFirst.slice(0, n).includes(column));
  const wide = [sized(2, columns), sized(1, columns), sized(2, without(1))].find(fits(names));
  const narrow = goFirst.map((_, i) => sized(1, without(i + 1)));
  return wide ?? narrow.find(fits(shortestName)) ?? (narrow.at(-1) as readonly Sized[]);
}

const head = (group: string, width: number): string =>
  (width < group.length + 3 ? group : `─ ${group} `).padEnd(width, '─');

function groupHeads(shown: readonly Sized[]): string {
  const groups = [...new Set(shown.map(({ group }) => group))];
  return groups
    .map((group) => {
      const width = shown.filter((column) => column.group === group).reduce((all, column) => all + column.width, 0);
      return group === '' ? ' '.repeat(width) : `  ${fit(head(group, width - 2), width - 2)}`;
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
