import type { DependencyReport } from '../report.ts';
import { moment } from './numbers.ts';
import { lookOf, looks, type Palette } from './palette.ts';
import { columnsOf, fit } from './text.ts';

interface Range {
  readonly fromMs: number;
  readonly toMs: number;
}

/** Each dependency's state over the time of the recording, in characters, with a legend and an axis. */
export function timeline(
  dependencies: readonly DependencyReport[],
  range: Range,
  width: number,
  paint: Palette,
): string[] {
  const called = dependencies.filter(({ calls }) => calls > 0);
  const nameWidth = Math.min(24, Math.floor(width / 3), Math.max(8, ...called.map(({ name }) => columnsOf(name))));
  const columns = Math.max(10, width - nameWidth - 3);
  const rows = called.map((dependency) => {
    const states = statesIn(dependency, range, columns);
    const marks = runs(states).map(([state, length]) => paint(lookOf(state).style, lookOf(state).mark.repeat(length)));
    return `  ${fit(dependency.name, nameWidth)} ${marks.join('')}`;
  });
  const met = new Set([
    'closed',
    'open',
    'half-open',
    ...called.flatMap((each) => each.transitions.map(({ to }) => to)),
  ]);
  const known = Object.entries(looks).filter(([state]) => met.has(state));
  const legend = known.map(([state, { mark, style }]) => `${paint(style, mark)} ${state}`).join('   ');
  const legendWidth = known.reduce((sum, [state]) => sum + state.length + 5, -3);
  return [
    `  ${legendWidth > columns ? '' : ' '.repeat(nameWidth + 1)}${legend}`,
    ...rows,
    `  ${' '.repeat(nameWidth)} ${paint('quiet', axis(range, columns))}`,
  ];
}

/** The state of each column; where it changes within one, what the circuit tried last: half-open before open before closed. */
function statesIn({ transitions }: DependencyReport, { fromMs, toMs }: Range, columns: number): string[] {
  const stepMs = (toMs - fromMs) / columns || 1;
  let [state, next] = ['closed', 0];
  return Array.from({ length: columns }, (_, column) => {
    const seen = new Set([state]);
    const endMs = column === columns - 1 ? Number.POSITIVE_INFINITY : fromMs + (column + 1) * stepMs;
    for (let change = transitions[next]; change !== undefined && change.atMs < endMs; change = transitions[++next]) {
      seen.add((state = change.to));
    }
    return ['half-open', 'open'].find((one) => seen.has(one)) ?? state;
  });
}

function runs(states: readonly string[]): [state: string, length: number][] {
  const all: [string, number][] = [];
  for (const state of states) {
    const last = all.at(-1);
    if (last?.[0] === state) last[1]++;
    else all.push([state, 1]);
  }
  return all;
}

/** A label wherever there is room for one. */
function axis({ fromMs, toMs }: Range, columns: number): string {
  let line = '';
  for (let column = 0; column < columns; ) {
    const label = `╵${moment(fromMs + ((toMs - fromMs) * column) / columns, toMs - fromMs < 20_000)}`;
    if (column + label.length > columns) break;
    line = line.padEnd(column) + label;
    column += Math.max(12, Math.ceil((label.length + 3) / 6) * 6);
  }
  return line;
}
