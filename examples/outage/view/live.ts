import type { Snapshot } from '../report.ts';
import { changeLines, changesOf } from './changes.ts';
import { duration, moment, share } from './numbers.ts';
import { lookOf, type Palette } from './palette.ts';
import { fit, plain } from './text.ts';

export interface Scene {
  readonly title: string;
  readonly speed: number;
  readonly fromMs: number;
  readonly toMs: number;
  /** The newest snapshot is the last; the first one is what rates are measured against. */
  readonly snapshots: readonly Snapshot[];
  /** Where the run can be watched in a browser; empty if nowhere. */
  readonly page?: string;
}

export interface Size {
  readonly columns: number;
  readonly rows: number;
}

/** The numbers of a row, and how soon each gives way where there is no room for all. */
const numbers = [
  { title: 'calls/s', width: 8, goes: 2 },
  { title: 'failed', width: 7, goes: 5 },
  { title: 'refused', width: 8, goes: 3 },
  { title: 'time/call', width: 10, goes: 4 },
  { title: 'bare', width: 8, goes: 1 },
] as const;
type Cells = (texts: readonly string[]) => string;
const stateWidth = 10;
const shortestName = 6;

/** One picture of the live view: at most `rows` lines of at most `columns` columns. */
export function frame(scene: Scene, size: Size, paint: Palette): string[] {
  const now = scene.snapshots.at(-1);
  if (now === undefined) return [];
  const width = Math.max(24, size.columns - 1);
  const { cells, nameWidth } = layout(width - 3 - stateWidth);
  const order = mostTroubledFirst(now);
  const room = Math.max(1, size.rows - 11);
  const shown = order.length > room ? order.slice(0, Math.max(1, room - 1)) : order;
  const lines = [
    ...head(scene, now, width, paint),
    scene.page ? `  ${paint('strong', scene.page)}` : '',
    paint(
      'quiet',
      `  ${fit('dependency', nameWidth)} ${fit('state', stateWidth)}${cells(numbers.map(({ title }) => title))}`,
    ),
    ...inOrder(shown).map((index) => row(scene.snapshots, index, nameWidth, cells, paint)),
    ...(shown.length < order.length
      ? [paint('quiet', `  and ${order.length - shown.length} more, closed or calmer`)]
      : []),
    '',
  ];
  const log = changesOf(now.dependencies).map((change) => changeLines(change, width, paint));
  return [...lines, ...newest(log, size.rows - lines.length - 1)].slice(0, size.rows - 1);
}

function head(scene: Scene, now: Snapshot, width: number, paint: Palette): string[] {
  const speed = `speed ${scene.speed}`;
  const done = Math.min(1, Math.max(0, (now.atMs - scene.fromMs) / (scene.toMs - scene.fromMs || 1)));
  const clock = ` ${moment(Math.min(now.atMs, scene.toMs))} of ${moment(scene.toMs)}`;
  const bar = Math.max(0, width - clock.length - 2);
  const full = Math.round(done * bar);
  return [
    `  ${paint('strong', fit(scene.title, width - speed.length - 2))}${paint('quiet', speed)}`,
    `  ${'━'.repeat(full)}${paint('quiet', '─'.repeat(bar - full))}${clock}`,
  ];
}

/** As many numbers as leave a name readable; the name gets the rest. */
function layout(room: number): { cells: Cells; nameWidth: number } {
  let shown: (typeof numbers)[number][] = [...numbers];
  const left = () => room - shown.reduce((sum, { width }) => sum + width, 0);
  for (let goes = 1; left() < shortestName && shown.length > 0; goes++)
    shown = shown.filter((one) => one.goes !== goes);
  return {
    cells: (texts) => shown.map((one) => texts[numbers.indexOf(one)]?.padStart(one.width)).join(''),
    nameWidth: left(),
  };
}

function row(snapshots: readonly Snapshot[], index: number, nameWidth: number, cells: Cells, paint: Palette): string {
  const [before, now] = [snapshots[0] as Snapshot, snapshots.at(-1) as Snapshot];
  const [then, dependency, live] = [before.dependencies[index], now.dependencies[index], now.live[index]];
  if (then === undefined || dependency === undefined || live === undefined) return '';
  const calls = dependency.calls - then.calls;
  const seconds = (now.atMs - before.atMs) / 1000;
  const perCall = (ms: number) => (calls > 0 ? duration(ms / calls) : '–');
  const { shape, style } = lookOf(live.state);
  return (
    `${paint(style, shape)} ${fit(dependency.name, nameWidth)} ${paint(style, fit(live.state, stateWidth))}` +
    cells([
      seconds > 0 ? (calls / seconds).toFixed(1) : '–',
      share(dependency.failures - then.failures, calls),
      share(dependency.refused - then.refused, calls),
      perCall(dependency.timeSpentMs - then.timeSpentMs),
      perCall(dependency.bareTimeSpentMs - then.bareTimeSpentMs),
    ])
  );
}

/** When not all fit: those that are not closed, then those that ever opened, then the busiest. */
function mostTroubledFirst({ dependencies, live }: Snapshot): number[] {
  const weight = (i: number) =>
    (live[i]?.state === 'closed' ? 0 : 1e12) + (dependencies[i]?.opened ?? 0) * 1e9 + (dependencies[i]?.calls ?? 0);
  return inOrder([...dependencies.keys()]).sort((a, b) => weight(b) - weight(a));
}

const inOrder = (indices: readonly number[]): number[] => [...indices].sort((a, b) => a - b);

/** As many of the last entries as fit, whole ones only. */
function newest(entries: readonly string[][], room: number): string[] {
  let shown: string[] = [];
  for (let i = entries.length - 1; i >= 0; i--) {
    const entry = entries[i] as string[];
    if (shown.length + entry.length > room) break;
    shown = [...entry, ...shown];
  }
  return shown;
}

export const titleOf = (trace: string): string => `Recloser, outage demo: ${plain(trace.split('/').at(-1) ?? trace)}`;
