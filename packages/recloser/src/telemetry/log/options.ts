import { callback, duration, having, oneOf, optionsOf, type Reader, type Readers } from '../../core/check.ts';
import { common } from '../../core/policy-options.ts';
import type { Clock } from '../../core/time/clock.ts';

/** How loud a line is. */
export type Level = 'info' | 'warn' | 'error';

/** What is used of a logger: pino, bunyan, Fastify's and `console` have it. For winston there is `messageFirst`. */
export interface Logger {
  /** Logs what happens. */
  info(entry: object, message: string): unknown;
  /** Logs what takes something away from somebody: an opening, a forced state, a place given back. */
  warn(entry: object, message: string): unknown;
  /** Only called if `levels` says so. */
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
   * The first refusal of a name is logged at once; after that, at most one line a name in this many ms says how many there were; from 1,
   * default 10,000.
   */
  readonly rejectionsEveryMs?: number | undefined;
  /** The levels of topics, in place of the default ones; `off` for no line. */
  readonly levels?: { readonly [T in Topic]?: Level | 'off' } | undefined;
  /**
   * Is given each error message before it is logged, and returns what to log, or `undefined` for nothing. Without it messages are logged
   * as they are, cut to 200 characters. If it throws, the message is left out.
   */
  readonly redact?: ((message: string) => string | undefined) | undefined;
  /**
   * Returns the trace of the call in which a transition happens, which the line has as `trace_id`. It is called in that call's async
   * context: with OpenTelemetry, `() => trace.getActiveSpan()?.spanContext().traceId`.
   */
  readonly traceId?: (() => string | undefined) | undefined;
  /** For the time between lines; by default the system's clock. */
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
