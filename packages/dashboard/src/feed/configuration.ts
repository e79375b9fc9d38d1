import type { CircuitBreaker, CircuitBreakerOptions, Measurement } from 'recloser';
import type { Setting } from '../protocol/detail.ts';

type Value = Setting['value'];

const named = (fn: unknown): string => (typeof fn === 'function' && fn.name ? `${fn.name}()` : 'a function');
const orNone = (value: number, none: number): Value => (value === none ? 'none' : value);

/** What the trip rule is made of, as its own measurement says. */
function ruleOf(m: Measurement, prefix: string): [string, Value][] {
  const { rule, threshold, windowMs, windowCalls, minimumCalls, slowCallMs, confidence, parts } = m;
  if (parts !== undefined) return parts.flatMap((part, i) => ruleOf(part, `${prefix}[${i + 1}]`));
  const figures = { threshold, windowMs, windowCalls, minimumCalls, slowCallMs, confidence };
  return [
    [`${prefix}.rule`, rule],
    ...Object.entries(figures).flatMap(([key, value]): [string, Value][] =>
      value === undefined ? [] : [[`${prefix}.${key}`, value]],
    ),
  ];
}

/** Every option in force, and where its value comes from. `updatedAt`: when `update` last changed an option, epoch ms. */
export function configurationOf(
  { settings }: CircuitBreaker,
  measured: Measurement,
  updatedAt: ReadonlyMap<string, number>,
): Setting[] {
  // Another version of the package, or a breaker of somebody else's, may not tell.
  if (settings === undefined) return [];
  const { given } = settings;
  const sourceOf = (key: keyof CircuitBreakerOptions, inner?: string): Pick<Setting, 'source' | 'at'> => {
    const at = updatedAt.get(key);
    const set = given[key] as Record<string, unknown> | undefined;
    if (set === undefined || (inner !== undefined && set[inner] === undefined)) return { source: 'default' };
    return at === undefined ? { source: 'given' } : { source: 'updated', at };
  };
  const line = (key: keyof CircuitBreakerOptions, value: Value, inner?: string): Setting => ({
    option: inner === undefined ? key : `${key}.${inner}`,
    value,
    ...sourceOf(key, inner),
  });
  const { sleepWindowMs, sample, classify, fallback } = settings;
  const rule = given.trip === undefined ? 'failureThreshold' : 'trip';
  return [
    ...ruleOf(measured, 'trip').map(([option, value]) => ({ option, value, ...sourceOf(rule) })),
    line('successThreshold', settings.successThreshold),
    line('timeoutMs', orNone(settings.timeoutMs, 0)),
    line('sleepWindowMs', typeof sleepWindowMs === 'number' ? sleepWindowMs : named(sleepWindowMs)),
    line('maxSleepWindowMs', settings.maxSleepWindowMs),
    line('maxConcurrent', settings.maxConcurrent ?? 'none'),
    line('release', settings.releaseOnTimeout ? 'on-timeout' : 'on-settle'),
    line('abandonAfterMs', orNone(settings.abandonAfterMs, 0)),
    line('halfOpen', settings.maxProbes, 'maxConcurrent'),
    line('halfOpen', orNone(settings.probeTimeoutMs, 0), 'probeTimeoutMs'),
    line('halfOpen', sample ? `${sample.failureRate} of ${sample.calls} calls` : 'none', 'sample'),
    line('recovery', settings.recovery?.rampMs ?? 'none', 'rampMs'),
    line('recovery', settings.recovery?.initialShare ?? 'none', 'initialShare'),
    line('slowCallMs', orNone(settings.slowCallMs, 0)),
    line('latency', settings.latency),
    line('classify', classify === undefined ? 'any throw is a failure' : named(classify)),
    line('fallback', fallback === undefined ? 'none' : typeof fallback === 'function' ? named(fallback) : 'a value'),
    line('captureStacks', settings.captureStacks),
  ];
}
