import { read } from '../../core/check.ts';
import { systemClock } from '../../core/time/clock.ts';
import { type ChannelName, type Messages, subscribe, type Teller } from '../channels.ts';
import { Bursts } from './bursts.ts';
import { actionLine, burstLine, isMember, type Line, switchLine, transitionLine, updateLine } from './lines.ts';
import { defaultLevels, type Logger, type LogOptions, loggerGiven, logOptions, type Topic } from './options.ts';

/** The channels that tell of refusals; a spent budget is told by the policy that wanted to spend. */
const refusals = [
  'recloser:circuit-breaker:rejected',
  'recloser:bulkhead:rejected',
  'recloser:adaptive-concurrency:rejected',
  'recloser:adaptive-throttle:rejected',
  'recloser:rate-limit:rejected',
  'recloser:retry:budget-exhausted',
  'recloser:hedge:budget-exhausted',
] as const;

/** The reason for refusals of a kind that has only one. */
const onlyReason: Readonly<Record<string, string>> = {
  'adaptive-throttle': 'throttled',
  retry: 'budget',
  hedge: 'budget',
};

/**
 * Logs what policies do: a line for each transition with all its evidence, a line for each action by a person or program, and for refusals
 * no more than a line now and then. It hears every policy of the process; calling the answer ends it. Nothing the logger does reaches a
 * call.
 *
 * @throws TypeError, RangeError with all faults of the options together
 * @example
 * const stop = log(pino());
 */
export function log(logger: Logger, options: LogOptions = {}): () => void {
  read('log', logger, loggerGiven);
  const {
    rejectionsEveryMs = 10_000,
    redact,
    traceId,
    clock = systemClock,
    ...given
  } = read('log', options, logOptions);
  const levels = { ...defaultLevels, ...given.levels };
  const bursts = new Bursts(clock, rejectionsEveryMs);

  let isBroken = false;
  const broken = (fault: unknown): void => {
    if (isBroken) return;
    isBroken = true;
    try {
      console.error('recloser: the logger given to log() threw (told once):', fault);
    } catch {}
  };
  const say = (topic: Topic, line: () => Line): void => {
    const level = levels[topic];
    if (level === 'off') return;
    try {
      const { entry, message } = line();
      // A key, or a reason, may have line breaks: it must not make lines of its own.
      const answer = logger[level](entry, message.replace(/[\s\p{Cc}]+/gu, ' '));
      // One of another realm (Jest) or library is a promise by its `then`.
      if (answer) Promise.resolve(answer).catch(broken);
    } catch (fault) {
      broken(fault);
    }
  };
  const sample = (topic: Topic, { kind, label }: Teller, reason: string, line: Parameters<Bursts['add']>[2]): void => {
    if (levels[topic] !== 'off') bursts.add(`${topic} ${kind} ${label}`, reason, line);
  };

  const offs: (() => void)[] = [];
  const hear = <N extends ChannelName>(names: readonly N[], subscriber: (message: Messages[N]) => void): void => {
    for (const name of names) offs.push(subscribe(name, subscriber));
  };
  for (const topic of ['opened', 'half-opened', 'closed'] as const) {
    hear([`recloser:circuit-breaker:${topic}`], ({ policy, payload }) =>
      say(topic, () => transitionLine(policy, payload, redact, traceId)),
    );
  }
  for (const topic of ['forced', 'released'] as const) {
    hear([`recloser:circuit-breaker:${topic}`], ({ policy, payload }) => say(topic, () => actionLine(policy, payload)));
  }
  hear(['recloser:circuit-breaker:updated', 'recloser:chaos:updated'], ({ policy, payload }) => {
    // A registry updates thousands at a time.
    if (isMember(policy)) {
      sample('updated', policy, '', (burst) => say('updated', () => updateLine(policy, payload.changed, burst)));
    } else say('updated', () => updateLine(policy, payload.changed, { count: 1, byReason: {}, overMs: 0 }));
  });
  for (const word of ['enabled', 'disabled'] as const) {
    hear([`recloser:chaos:${word}`], ({ policy, payload }) =>
      say(`chaos-${word}`, () => switchLine(policy, word === 'enabled', payload)),
    );
  }
  hear(['recloser:bulkhead:abandoned', 'recloser:adaptive-concurrency:abandoned'], ({ policy }) =>
    sample('abandoned', policy, 'abandoned', (burst) =>
      say('abandoned', () => burstLine(policy, 'abandoned', burst, undefined)),
    ),
  );
  hear(refusals, ({ policy, payload }) => {
    const { reason = onlyReason[policy.kind] ?? 'refused', retryAfterMs } = payload as {
      reason?: string;
      retryAfterMs?: number;
    };
    sample('rejected', policy, reason, (burst) =>
      say('rejected', () => burstLine(policy, 'rejections', burst, retryAfterMs)),
    );
  });

  return () => {
    for (const off of offs.splice(0)) off();
    bursts.close();
  };
}

/** A logger whose methods take the message first and the fields after it. */
export interface MessageFirstLogger {
  /** As in `Logger`, the arguments the other way round. */
  info(message: string, entry: object): unknown;
  /** As in `Logger`, the arguments the other way round. */
  warn(message: string, entry: object): unknown;
  /** As in `Logger`, the arguments the other way round. */
  error(message: string, entry: object): unknown;
}

/** Adapts a logger that takes the message first, as winston does: `log(messageFirst(winston))`. */
export const messageFirst = (logger: MessageFirstLogger): Logger => ({
  info: (entry, message) => logger.info(message, entry),
  warn: (entry, message) => logger.warn(message, entry),
  error: (entry, message) => logger.error(message, entry),
});
