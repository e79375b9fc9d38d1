import type { Plan } from '../plan.ts';
import type { Report, Snapshot } from '../report.ts';
import { changeLines, changesOf } from './changes.ts';
import { frame, titleOf } from './live.ts';
import { duration, moment } from './numbers.ts';
import { noColours, paletteFor } from './palette.ts';
import { Screen } from './screen.ts';
import { summary } from './summary.ts';

/** Who watches a run: a terminal, a file or pipe, or a program that wants one document. */
export interface Audience {
  progress(snapshot: Snapshot): void;
  /** Where the run can be watched live. */
  page(url: string): void;
  /** The run is over, well or badly: whatever was changed on the terminal is put back. */
  close(): void;
  report(report: Report): void;
}

const print = (lines: readonly string[]): void => void process.stdout.write(`${lines.join('\n')}\n`);

export function audienceFor(json: boolean, trace: string, plan: Plan): Audience {
  if (json) return program(plan);
  return process.stdout.isTTY === true && process.env.TERM !== 'dumb' ? terminal(trace, plan) : paper(trace, plan);
}

function terminal(trace: string, plan: Plan): Audience {
  const paint = paletteFor(process.stdout, process.env);
  const screen = new Screen(process.stdout);
  const snapshots: Snapshot[] = [];
  let page = '';
  const draw = () =>
    screen.draw(
      frame(
        { title: titleOf(trace), ...plan, snapshots, page },
        // Some terminals (in containers, under `expect`) say 0 by 0.
        { columns: process.stdout.columns || 80, rows: process.stdout.rows || 24 },
        paint,
      ),
    );
  process.stdout.on('resize', draw);
  // Rates are those of ten seconds of the recording, or of what a person can follow.
  const spanMs = Math.max(10_000, 1_500 * plan.speed);
  return {
    progress(snapshot) {
      snapshots.push(snapshot);
      while (snapshots.length > 2 && (snapshots[1] as Snapshot).atMs <= snapshot.atMs - spanMs) snapshots.shift();
      draw();
    },
    page(url) {
      page = url;
      draw();
    },
    close() {
      process.stdout.off('resize', draw);
      screen.close();
    },
    report: (report) => print(summary(report, Math.min(process.stdout.columns || 80, 120), paint)),
  };
}

function paper(trace: string, plan: Plan): Audience {
  const follow = stderrProgress(plan);
  let told = 0;
  print([
    titleOf(trace),
    `${moment(plan.fromMs, true)} to ${moment(plan.toMs, true)} of the recording at speed ${plan.speed}`,
    '',
  ]);
  return {
    progress(snapshot) {
      follow(snapshot);
      const changes = changesOf(snapshot.dependencies);
      for (const change of changes.slice(told)) print(changeLines(change, 10_000, noColours));
      told = changes.length;
    },
    page: (url) => print([`live page: ${url}`]),
    close() {},
    report: (report) => print(['', ...summary(report, 100, noColours)]),
  };
}

function program(plan: Plan): Audience {
  return {
    progress: stderrProgress(plan),
    page: (url) => void process.stderr.write(`live page: ${url}\n`),
    close() {},
    report: (report) => print([JSON.stringify(report, null, 2)]),
  };
}

/** A line every five seconds: a run of a minute should not look hung. */
function stderrProgress(plan: Plan): (snapshot: Snapshot) => void {
  const everyMs = 5_000 * plan.speed;
  let nextMs = plan.fromMs + everyMs;
  return ({ atMs, live }) => {
    if (atMs < nextMs) return;
    nextMs = atMs + everyMs;
    const open = live.filter(({ state }) => state !== 'closed').length;
    const left = duration(Math.max(0, plan.toMs - atMs) / plan.speed);
    process.stderr.write(
      `${moment(atMs)} of ${moment(plan.toMs)}, ${open} of ${live.length} circuits not closed, ${left} to go\n`,
    );
  };
}
