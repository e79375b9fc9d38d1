/** The demo: plays a recorded outage against a real server, bare and through breakers, and shows the difference. */
import { buildPage } from '../../packages/dashboard/scripts/build-page.ts';
import { defaults } from './breakers.ts';
import { type Flags, help, parseFlags } from './flags.ts';
import { keepIncident, openIncident } from './incident.ts';
import { planRun } from './plan.ts';
import type { Fidelity, Outcome } from './processes/messages.ts';
import { perform } from './processes/perform.ts';
import { BadFileError } from './recording/bad-file.ts';
import { defaultTrace, readRecording } from './recording/read.ts';
import { UsageError } from './usage-error.ts';
import { audienceFor } from './view/audience.ts';
import { count, duration } from './view/numbers.ts';

const warn = (text: string): void => void process.stderr.write(`${text}\n`);

/** Of more dependencies than this, reading all of them every second would take the time that the calls need. */
const mostOnPage = 5_000;

async function run(flags: Flags): Promise<void> {
  const recording = readRecording(flags.trace);
  const dependencies = recording.dependencies.length;
  const showsPage = flags.dashboard && dependencies <= mostOnPage;
  if (flags.dashboard && !showsPage) warn(`${count(dependencies)} dependencies are too many for the live page`);
  const plan = planRun(recording, flags);
  for (const note of plan.notes) warn(note);

  const trace = flags.trace ?? defaultTrace;
  const stop = new AbortController();
  stopOnSignal(stop);
  if (flags.speed === undefined) stopWhenLate(stop, flags.trace === undefined ? 42 : 56);
  const audience = audienceFor(flags.json, trace, plan);
  let outcome: Outcome;
  try {
    if (showsPage) await buildPage({ always: false });
    outcome = await perform({
      recording,
      plan,
      seed: flags.seed,
      stop: stop.signal,
      onProgress: audience.progress,
      dashboard: showsPage,
      onPage: audience.page,
    });
  } finally {
    audience.close();
  }
  const { speed, fromMs } = plan;
  const toMs = stop.signal.aborted ? Math.min(plan.toMs, Math.round(outcome.untilMs)) : plan.toMs;
  audience.report({ trace, seed: flags.seed, speed, fromMs, toMs, dependencies: outcome.snapshot.dependencies });
  if (stop.signal.reason === late)
    warn(`this machine is too slow for the whole recording: it was played up to ${toMs} ms`);
  for (const note of fidelityNotes(outcome.fidelity)) warn(note);
  if (outcome.incident !== undefined) warn(keepIncident(outcome.incident));
}

/** A recorded incident, for as long as somebody looks. */
async function show(file: string): Promise<void> {
  await buildPage({ always: false });
  const { url } = await openIncident(file).listen();
  process.stdout.write(`recorded incident: ${url} (Ctrl-C ends)\n`);
}

/** The first Ctrl-C ends the run with the table so far, a later one at once; a wrapper may pass the first one on again. */
function stopOnSignal(stop: AbortController): void {
  let first = Number.POSITIVE_INFINITY;
  const onSignal = () => {
    if (performance.now() - first > 500) process.exit(130);
    first = Math.min(first, performance.now());
    stop.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, onSignal);
}

const late = 'late';

/** Whoever did not choose the speed was promised an end within a minute, however slow the machine. */
function stopWhenLate(stop: AbortController, afterS: number): void {
  setTimeout(() => stop.abort(late), (afterS - process.uptime()) * 1000).unref();
}

/** Said only when a breaker could have seen the difference, or somebody waiting for the end. */
function fidelityNotes({ lateMs, addedMs, stoodStillMs, noSocket }: Fidelity): string[] {
  const limitMs = defaults.slowCalls.slowCallMs / 2;
  const note = (what: string) => `this machine was too busy for this speed: ${what}`;
  return [
    ...(noSocket > 0
      ? [
          `${count(noSocket)} calls failed because this machine gives no more sockets (ulimit -n), not because of the recording`,
        ]
      : []),
    ...(stoodStillMs > 4_000 ? [note(`the recording stood still for ${duration(stoodStillMs)} in all`)] : []),
    ...(lateMs > limitMs ? [note(`one call in a hundred left ${duration(lateMs)} late or more`)] : []),
    ...(addedMs > limitMs
      ? [note(`one call in a hundred took ${duration(addedMs)} longer than recorded or more`)]
      : []),
  ];
}

function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) return 2;
  return error instanceof BadFileError ? 3 : 1;
}

// `| head` closes the pipe: nobody reads on, so there is nothing left to do. A full disk is another matter.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') warn(`stdout: ${error.message}`);
  process.exit(error.code === 'EPIPE' ? 0 : 1);
});
// Remarks that nobody reads must not cost the report.
process.stderr.on('error', () => {});
try {
  const flags = parseFlags(process.argv.slice(2));
  if (flags.help) process.stdout.write(help);
  else if (flags.open !== undefined) await show(flags.open);
  else await run(flags);
} catch (error) {
  const hint = error instanceof UsageError ? '\nAll flags: npm start -- --help' : '';
  warn(`${(error as Error).message}${hint}`);
  process.exitCode = exitCodeOf(error);
}
