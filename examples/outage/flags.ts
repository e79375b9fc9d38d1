import { parseArgs } from 'node:util';
import { defaults } from './breakers.ts';
import { defaultTrace } from './recording/read.ts';
import { UsageError } from './usage-error.ts';

export interface Flags {
  readonly trace: string | undefined;
  readonly speed: number | undefined;
  readonly fromMs: number | undefined;
  readonly toMs: number | undefined;
  readonly seed: number;
  readonly json: boolean;
  /** Whether the run is shown in a live page. */
  readonly dashboard: boolean;
  /** A recorded incident to show instead of a run. */
  readonly open: string | undefined;
  readonly help: boolean;
}

const { failures, slowCalls } = defaults;
const percent = (share: number) => `${share * 100} %`;
const seconds = (ms: number) => `${ms / 1000} s`;

export const help = `Plays a recording of real traffic against a real HTTP server, once bare and once through circuit breakers.

  npm start -- [flags]

  --trace FILE  the recording, a CSV with t_ms,dependency,operation,duration_ms,outcome,status
                (${defaultTrace})
  --speed N     how many times faster than recorded, 0.01 to 1000; without it the run fits into a minute,
                and a recording of more than ten minutes plays its most eventful window
  --from T      from this moment of the recording on; milliseconds, or with a unit: 45s, 2m, 1.5h
  --to T        up to this moment
  --seed N      of the sampling, an integer from 0 to 4294967295 (1)
  --no-dashboard
                without the live page
  --open FILE   no run: shows a recorded incident in the page, until Ctrl-C
  --json        print one JSON document and nothing else on stdout; progress goes to stderr
  --help        this text

One breaker configuration for every dependency, in the recording's time: it opens when at least ${percent(failures.threshold)} of the calls
of ${seconds(failures.windowMs)} fail (from ${failures.minimumCalls} calls on, and only if that is ${percent(failures.confidence)} sure), or when ${percent(slowCalls.threshold)} of the calls of ${seconds(slowCalls.windowMs)} take
${slowCalls.slowCallMs} ms or more (from ${slowCalls.minimumCalls} calls on); a call times out after ${seconds(defaults.timeoutMs)}; open for ${seconds(defaults.sleepWindowMs)}, then ${defaults.successThreshold} good probes close it.

Exit codes: 0 done (also after Ctrl-C, with the table so far), 2 wrong flags, 3 bad recording, 1 anything else.
`;

/** @throws UsageError naming flag, range and value */
export function parseFlags(args: readonly string[]): Flags {
  const { values } = parsed(args);
  const fromMs = momentOf('--from', values.from);
  const toMs = momentOf('--to', values.to);
  if (fromMs !== undefined && toMs !== undefined && toMs < fromMs) {
    throw new UsageError(`--to: must not lie before --from (${fromMs}), got ${toMs}`);
  }
  const seed = numberOf(
    '--seed',
    values.seed,
    'an integer from 0 to 4294967295',
    (n) => Number.isInteger(n) && n >= 0 && n < 2 ** 32,
  );
  return {
    trace: values.trace,
    speed: numberOf('--speed', values.speed, 'a number from 0.01 to 1000', (n) => n >= 0.01 && n <= 1_000),
    fromMs,
    toMs,
    seed: seed ?? 1,
    json: values.json === true,
    dashboard: values['no-dashboard'] !== true,
    open: values.open,
    help: values.help === true,
  };
}

function parsed(args: readonly string[]) {
  const text = { type: 'string' } as const;
  const yes = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        trace: text,
        speed: text,
        from: text,
        to: text,
        seed: text,
        json: yes,
        open: text,
        'no-dashboard': yes,
        help: { ...yes, short: 'h' },
      },
    });
  } catch (error) {
    throw new UsageError((error as Error).message.split('. ')[0], { cause: error });
  }
}

function numberOf(
  flag: string,
  given: string | undefined,
  range: string,
  allowed: (n: number) => boolean,
): number | undefined {
  if (given === undefined) return undefined;
  const value = given.trim() === '' ? Number.NaN : Number(given);
  if (!allowed(value)) throw new UsageError(`${flag}: must be ${range}, got ${JSON.stringify(given)}`);
  return value;
}

const units: Record<string, number> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

function momentOf(flag: string, given: string | undefined): number | undefined {
  if (given === undefined) return undefined;
  const [, number, unit = 'ms'] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(given.trim()) ?? [];
  if (number === undefined) {
    throw new UsageError(
      `${flag}: must be a moment of the recording, such as 45000 (ms), 45s or 2m, got ${JSON.stringify(given)}`,
    );
  }
  return Number(number) * (units[unit] as number);
}
