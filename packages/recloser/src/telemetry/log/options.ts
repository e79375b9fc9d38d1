import { callback, duration, having, oneOf, optionsOf, type Reader, type Readers } from '../../core/check.ts';
import { common } from '../../core/policy-options.ts';
import type { Clock } from '../../core/time/clock.ts';

/** How loud a line is. */
export type Level = 'info' | 'warn' | 'error';

/** The logger by the methods called: pino, bunyan, Fastify's, and `console`. For winston there is `messageFirst`. */
export interface Logger {
  /** What happens. */
  info(entry: object, message: string): unknown;
  /** What takes something away from somebody. */
  warn(entry: object, message: string): unknown;
  /** Only by `levels`. */
  error(entry: object, message: string): unknown;
}

/** What lines are about. */
export type Topic =
  | ('opened' | 'half-opened' | 'closed' | 'forced' | 'released' | 'updated')
  | ('rejected' | 'abandoned' | 'chaos-enabled' | 'chaos-disabled');

/** The level of each topic unless options say otherwise: `warn` is what takes something away from somebody. */
export const defaultLevels: Readonly<Record<Topic, Level>> = {
  opened: 'warn',
  'half-opened': 'info',
  closed: 'info',
  forced: 'warn',
  released: 'info',
  updated: 'info',
  rejected: 'info',
  abandoned: 'warn',
  'chaos-enabled': 'warn',
  'chaos-disabled': 'info',
};

/** Options of `log`. */
export interface LogOptions {
  /**
   * Of refusals the first is told at once, then at most one line of each name in so many milliseconds, with how many there were;
   * default 10,000.
   */
  readonly rejectionsEveryMs?: number | undefined;
  /** Levels other than the default ones; `off` for no line. */
  readonly levels?: { readonly [T in Topic]?: Level | 'off' } | undefined;
  /**
   * Gets each error message before it is logged and answers what to log, `undefined` for nothing. Without it messages are logged as
   * they are, cut to 200 characters.
   */
  readonly redact?: ((message: string) => string | undefined) | undefined;
  /**
   * Answers the trace of the call that a transition happened in, e.g. `() => trace.getActiveSpan()?.spanContext().traceId` of OpenTelemetry;
   * it is asked in that call's async context, and stands in the line as `trace_id`.
   */
  readonly traceId?: (() => string | undefined) | undefined;
  /** For the time between lines; default the system's. */
  readonly clock?: Clock | undefined;
}

const level: Reader<Level | 'off'> = oneOf('info', 'warn', 'error', 'off');
const topics = Object.fromEntries(Object.keys(defaultLevels).map((topic) => [topic, level]));

export const logOptions: Reader<LogOptions> = optionsOf<object, LogOptions>(
  {},
  {
    rejectionsEveryMs: duration,
    levels: optionsOf({}, topics as unknown as Readers<object>) as never,
    redact: callback,
    traceId: callback,
    clock: common([]).clock,
  },
);

export const loggerGiven: Reader<Logger> = (value, _path, fault) =>
  having('a logger', { info: 'function', warn: 'function', error: 'function' })(value, 'logger', fault);
