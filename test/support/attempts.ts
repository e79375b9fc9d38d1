import {
  type CallContext,
  type CallOptions,
  constant,
  type HedgeOptions,
  hedge,
  type RetryBudget,
  type RetryOptions,
  retry,
  retryBudget,
} from 'recloser';
import { type ManualClock, manualClock, type Outcome, scriptedDependency } from 'recloser/testing';

/** What scripted dependencies fail with. */
export const down = new Error('down');

/** A budget that gives whatever it is asked for, and writes down what it is told. */
export function toldBudget(clock: ManualClock) {
  const told: string[] = [];
  const budget: RetryBudget = {
    ...retryBudget({ clock }),
    called: () => void told.push('called'),
    ended: (verdict) => void told.push(verdict),
    take: () => told.push('take') > 0,
  };
  return { budget, told };
}

/** Listeners by option that write down what they are told. */
function scribe<Option extends string>(told: unknown[], events: Record<Option, string>) {
  const listeners = Object.entries<string>(events).map(([option, event]) => [
    option,
    (payload: object) => void told.push({ event, ...payload }),
  ]);
  return Object.fromEntries(listeners) as Record<Option, (payload: object) => void>;
}

/** A retry policy over a scripted dependency; it waits 100 ms between attempts. */
export function retryScene(options: RetryOptions = {}, script: readonly Outcome[] = [{ error: down }]) {
  const clock = manualClock();
  const told: unknown[] = [];
  const policy = retry({
    name: 'reads',
    clock,
    backoff: constant(100),
    ...scribe(told, {
      onRetryScheduled: 'retry-scheduled',
      onRecovered: 'recovered',
      onGaveUp: 'gave-up',
      onBudgetExhausted: 'budget-exhausted',
    }),
    ...options,
  });
  const dependency = scriptedDependency(clock, script);
  const call = (given?: CallOptions<unknown>, work = dependency): Promise<unknown> => {
    const result = policy.execute(work, given);
    result.catch(() => {});
    return result;
  };
  return { clock, policy, dependency, call, told };
}

/** A hedging policy over a scripted dependency; every attempt reads its signal. */
export function hedgeScene(options: HedgeOptions = { delayMs: 100 }, script: readonly Outcome[] = [{ hang: true }]) {
  const clock = manualClock();
  const told: unknown[] = [];
  const policy = hedge({
    name: 'reads',
    clock,
    ...scribe(told, { onHedged: 'hedged', onWon: 'won', onBudgetExhausted: 'budget-exhausted' }),
    ...options,
  });
  const dependency = scriptedDependency(clock, script);
  const contexts: CallContext[] = [];
  const call = (given?: CallOptions<unknown>): Promise<unknown> => {
    const result = policy.execute((context) => {
      contexts.push(context);
      void context.signal;
      return dependency(context);
    }, given);
    result.catch(() => {});
    return result;
  };
  return { clock, policy, dependency, call, told, contexts };
}
