import type { Settled, SettledWithError, Transition } from '../../breaker/events.ts';
import { shown } from '../../breaker/evidence.ts';
import type { BreakerSettings } from '../../breaker/options.ts';
import { forcedStates } from '../../breaker/override.ts';
import type { Measurement } from '../../breaker/trip-rules/rule.ts';
import { RejectedError, TimeoutError } from '../../core/errors.ts';
import { wallTime } from '../../core/time/clock.ts';
import { type ChannelName, channelNames, type Messages, type Teller } from '../channels.ts';
import type { InstrumentKey } from '../instruments.ts';
import { label, reasonOf, rejectionOf } from './reasons.ts';

/** Where figures go that are counted under one name. */
export interface Account {
  add(key: InstrumentKey, labels: readonly string[], value?: number): void;
  begin(key: InstrumentKey, labels: readonly string[]): void;
  observe(key: InstrumentKey, labels: readonly string[], value: number): void;
  errorType(type: string): string;
  reason(word: string): string;
  /** When a breaker of this name last changed its state; epoch seconds. */
  changedAt: number | undefined;
  /** Of each breaker that is not closed, when it opened. */
  readonly openedAt: WeakMap<object, number>;
  /** That it was reset is counted already. */
  resetTold: boolean;
}

type Recorder<P> = (account: Account, payload: P, policy: Teller & { readonly state?: string }) => void;
type Records = { readonly [N in ChannelName]?: Recorder<Messages[N]['payload']> };

const duration = (account: Account, outcome: string, { elapsedMs }: Settled): void =>
  account.observe('duration', [outcome], elapsedMs / 1_000);

function failed(account: Account, payload: SettledWithError): void {
  // A refusal further in took no time, also where a classifier calls it a failure: it would hide how long calls take.
  if (!(payload.error instanceof RejectedError)) {
    const timedOut = payload.end === 'timed-out' || payload.error instanceof TimeoutError;
    duration(account, timedOut ? 'timeout' : 'failure', payload);
  }
  const type = payload.error === undefined ? 'none' : shown(payload.error).name;
  account.add('errors', [account.errorType(type)]);
}

function ignored(account: Account, payload: SettledWithError): void {
  if (payload.error instanceof RejectedError) return;
  duration(account, payload.end === 'aborted' ? 'cancelled' : 'ignored', payload);
}

function changed(account: Account, from: string, to: string, reason: string): void {
  account.add('transitions', [label(from), label(to), account.reason(reason)]);
  account.changedAt = wallTime() / 1_000;
}

const isForced = (state: string | undefined): boolean => forcedStates.some((forced) => forced === state);

function moved(account: Account, transition: Transition, breaker: { readonly state?: string }): void {
  const { resetTold } = account;
  account.resetTold = false;
  if (transition.to === 'closed') account.openedAt.delete(breaker);
  else if (transition.from === 'closed') account.openedAt.set(breaker, wallTime() / 1_000);
  // A reset begins a new generation, of a closed circuit too: that is no change. Nor is what happens under a state that was set.
  if (transition.from === transition.to || isForced(breaker.state)) return;
  if (resetTold && transition.evidence.rule === 'reset') return;
  changed(account, transition.from, transition.to, reasonOf(transition));
  if (transition.to === 'closed') account.observe('openDuration', [], transition.evidence.openForMs / 1_000);
}

const rejected = (account: Account, { reason }: { readonly reason: string }): void =>
  account.add('rejections', [rejectionOf(reason as 'open')]);
const fellBack = (account: Account): void => account.add('fallbacks', ['success']);
const fallbackFailed = (account: Account): void => account.add('fallbacks', ['failure']);
const withoutBudget = (account: Account): void => account.add('rejections', ['budget']);

const told: Records = {
  'recloser:circuit-breaker:succeeded': (account, payload) => duration(account, 'success', payload),
  'recloser:circuit-breaker:failed': failed,
  'recloser:circuit-breaker:ignored': ignored,
  'recloser:circuit-breaker:rejected': rejected,
  'recloser:circuit-breaker:opened': moved,
  'recloser:circuit-breaker:half-opened': moved,
  'recloser:circuit-breaker:closed': moved,
  'recloser:circuit-breaker:forced': (account, { previous, state }) => changed(account, previous, state, 'manual'),
  'recloser:circuit-breaker:released': (account, { previous, state, action }) => {
    // Of a computed state the transition itself is told.
    if (!isForced(previous)) return;
    account.resetTold = action === 'reset';
    changed(account, previous, state, action === 'expired' ? 'expired' : 'manual');
  },
  // What it can do now begins now.
  'recloser:circuit-breaker:updated': (account, _, policy) => begin(account, policy),
  'recloser:circuit-breaker:fell-back': fellBack,
  'recloser:circuit-breaker:fallback-failed': fallbackFailed,
  'recloser:fallback:fell-back': fellBack,
  'recloser:fallback:fallback-failed': fallbackFailed,
  'recloser:retry:settled': (account, { attempts }) => account.observe('retryAttempts', [], attempts),
  'recloser:retry:budget-exhausted': withoutBudget,
  'recloser:hedge:budget-exhausted': withoutBudget,
  'recloser:bulkhead:rejected': rejected,
  'recloser:bulkhead:dequeued': (account, { waitedMs }) => account.observe('queueDuration', [], waitedMs / 1_000),
  'recloser:adaptive-concurrency:rejected': rejected,
  'recloser:adaptive-concurrency:dequeued': (account, { waitedMs }) =>
    account.observe('queueDuration', [], waitedMs / 1_000),
  'recloser:rate-limit:rejected': rejected,
  'recloser:adaptive-throttle:rejected': (account) => account.add('rejections', ['throttled']),
};

/** What of a breaker says which series it has. */
type Begun = Teller & { metrics(): { readonly window: Measurement }; readonly settings: BreakerSettings };

/**
 * The series that are there before anything happens: an increase from nothing is none (Prometheus). A registry has no rule of its own, and
 * those of its keys from the first that is heard of.
 */
export function begin(account: Account, policy: Teller): void {
  if (policy.kind === 'circuit-breaker-registry') beginCalls(account, [], {});
  if (policy.kind === 'fallback') account.add('fallbacks', ['success'], 0);
  if (policy.kind !== 'circuit-breaker') return;
  const { window } = (policy as Begun).metrics();
  beginCalls(account, rulesOf(window), (policy as Begun).settings);
}

/** A combined rule, or what it consists of: which of them opens only the opening tells. */
const rulesOf = ({ rule, parts }: Measurement): string[] => [rule, ...(parts ?? []).flatMap(rulesOf)];

function beginCalls(
  account: Account,
  rules: readonly string[],
  { timeoutMs = 0, maxConcurrent, recovery }: Partial<BreakerSettings>,
): void {
  const moves = rules.map((rule) => ['closed', 'open', rule] as const);
  const others = [
    ['open', 'half-open', 'sleepWindow'],
    ['half-open', 'closed', 'probe'],
    ['half-open', 'open', 'probe'],
  ] as const;
  for (const [from, to, rule] of [...moves, ...others]) {
    account.add('transitions', [label(from), label(to), account.reason(reasonOf({ to, evidence: { rule } }))], 0);
  }
  const full = maxConcurrent === undefined ? [] : ['bulkhead_full'];
  const ramp = recovery === undefined ? [] : ['recovery'];
  for (const reason of ['circuit_open', 'probe_limit', ...full, ...ramp]) account.add('rejections', [reason], 0);
  // A call may bring a fallback of its own.
  account.add('fallbacks', ['success'], 0);
  const late = timeoutMs > 0 ? ['timeout'] : [];
  for (const outcome of ['success', 'failure', ...late]) account.begin('duration', [outcome]);
  account.begin('openDuration', []);
}

/** Told by events of their own, or no figure. */
const elsewhere = /^recloser:(policy:|circuit-breaker:timed-out$)/;

/** What to count of each channel. */
export const recording: readonly (readonly [ChannelName, Recorder<never>])[] = channelNames.flatMap((name) => {
  const record = told[name] as Recorder<never> | undefined;
  if (record !== undefined) return [[name, record] as const];
  if (elsewhere.test(name)) return [];
  const [, kind = '', event = ''] = name.split(':');
  const labels = [label(kind), label(event)];
  return [[name, (account: Account) => account.add('events', labels)] as const];
});
