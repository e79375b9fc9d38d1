import type { Report } from '../report.ts';
import { changeLines, changesOf } from './changes.ts';
import { count, duration, moment } from './numbers.ts';
import type { Palette } from './palette.ts';
import { table } from './table.ts';
import { wrap } from './text.ts';
import { timeline } from './timeline.ts';

/** Of more openings than this the list would hide the table. */
const mostChanges = 6;

/** What a run ends with: table, timeline, why circuits opened, and what it was good for. */
export function summary(report: Report, width: number, paint: Palette): string[] {
  const { dependencies } = report;
  const silent = dependencies.filter(({ calls }) => calls === 0).length;
  const openings = changesOf(dependencies).filter(({ from, to }) => to === 'open' && from === 'closed');
  const shown = openings.slice(0, mostChanges);
  return [
    ...table(dependencies, width, paint),
    ...(silent > 0
      ? [paint('quiet', `  ${silent} more without a call between ${moment(report.fromMs)} and ${moment(report.toMs)}`)]
      : []),
    '',
    ...timeline(dependencies, report, width, paint),
    '',
    ...shown.flatMap((change) => changeLines(change, width, paint)),
    ...(openings.length > shown.length
      ? [paint('quiet', `${' '.repeat(11)}and ${openings.length - shown.length} more, see --json`)]
      : []),
    ...(openings.length > 0 ? [''] : []),
    ...wrap(verdict(report), width, ''),
  ];
}

function verdict({ dependencies }: Report): string {
  const sum = (of: (dependency: Report['dependencies'][number]) => number) =>
    dependencies.reduce((all, one) => all + of(one), 0);
  const [spent, bare] = [sum(({ timeSpentMs }) => timeSpentMs), sum(({ bareTimeSpentMs }) => bareTimeSpentMs)];
  const refused = sum((dependency) => dependency.refused);
  if (dependencies.every(({ opened }) => opened === 0)) return nothingOpened(sum((dependency) => dependency.failures));
  return `Callers spent ${duration(spent)} waiting instead of ${duration(bare)}; ${count(refused)} calls were refused at once.`;
}

const nothingOpened = (failures: number): string =>
  failures === 0
    ? 'Nothing opened.'
    : 'Nothing opened: too small a share of the calls failed, or too few were made to tell.';
