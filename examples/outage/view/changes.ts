import type { DependencyReport, TransitionReport } from '../report.ts';
import { moment } from './numbers.ts';
import { lookOf, type Palette } from './palette.ts';
import { plain, wrap } from './text.ts';

export interface Change extends TransitionReport {
  readonly dependency: string;
}

/** All changes of state, in the order of time. */
export function changesOf(dependencies: readonly DependencyReport[]): Change[] {
  return dependencies
    .flatMap(({ name, transitions }) => transitions.map((transition) => ({ ...transition, dependency: name })))
    .sort((a, b) => a.atMs - b.atMs);
}

/** `0:53 ✕ currencyservice open: 80.2 % of 131 calls …`, broken into lines. */
export function changeLines(change: Change, width: number, paint: Palette): string[] {
  const { shape, style } = lookOf(change.to);
  const [first = '', ...more] = wrap(`${plain(change.dependency)} ${change.to}: ${change.why}`, width - 11, '  ');
  return [
    `${moment(change.atMs).padStart(8)} ${paint(style, shape)} ${first}`,
    ...more.map((line) => `${' '.repeat(11)}${line}`),
  ];
}
