/** The trip rules of the naive breaker: all samples are kept, and counted again whenever somebody asks. */

export interface RuleSpec {
  readonly rule: 'consecutiveFailures' | 'failureRate' | 'failureCount' | 'slowCallRate' | 'anyOf' | 'allOf';
  readonly threshold?: number;
  readonly windowCalls?: number;
  readonly windowMs?: number;
  readonly buckets?: number;
  readonly minimumCalls?: number;
  readonly slowCallMs?: number;
  readonly confidence?: 0.5 | 0.8 | 0.95;
  readonly parts?: readonly RuleSpec[];
}

interface Measured {
  readonly rule: string;
  readonly value: number;
  readonly threshold: number;
  readonly calls: number;
  /** Failures or slow calls. */
  readonly hits?: number;
  readonly failures: number;
  readonly slowCalls: number;
  readonly parts: readonly Measured[];
  readonly met: boolean;
}

interface Figures {
  readonly rule: string;
  readonly value: number;
  readonly threshold: number;
  readonly calls: number;
  readonly hits?: number | undefined;
}

/** What the evidence of both breakers is compared by. Bounds of confidence are numerics: what they were taken of must do. */
export function figuresOf({ rule, value, threshold, calls, hits }: Figures): string {
  const isBound = rule.endsWith('Rate') && value !== 0 && value !== Number(hits) / calls;
  return `${rule} ${isBound ? `a bound of ${hits}` : value}/${threshold} of ${calls}`;
}

/** The standard normal quantiles of two-sided intervals, from a table. */
const quantile = { 0.5: 0.6744898, 0.8: 1.2815516, 0.95: 1.959964 };

/** The most that such a bound can be: that of a window of hits only. It never is 1. */
export const highestBound = (confidence: 0.5 | 0.8 | 0.95, calls = 1e9): number =>
  calls / (calls + quantile[confidence] ** 2);

/** Where a share that was seen lies z deviations above a smaller one: the smaller root of (seen − p)² = z²·p·(1 − p)/calls. */
function wilson(hits: number, calls: number, z: number): number {
  if (hits === 0) return 0;
  const seen = hits / calls;
  const [a, b, c] = [1 + z ** 2 / calls, -2 * seen - z ** 2 / calls, seen ** 2];
  return (-b - Math.sqrt(Math.max(0, b ** 2 - 4 * a * c))) / (2 * a);
}

export class NaiveRule {
  readonly spec: RuleSpec;
  readonly parts: NaiveRule[];
  #samples: { readonly at: number; readonly hit: boolean }[] = [];
  /** When the window was last emptied: its buckets begin there. */
  #since: number;

  constructor(spec: RuleSpec, now: number) {
    this.spec = spec;
    this.#since = now;
    this.parts = (spec.parts ?? []).map((part) => new NaiveRule(part, now));
  }

  record(failed: boolean, elapsedMs: number, now: number): void {
    const { rule, slowCallMs = 0 } = this.spec;
    this.#samples.push({ at: now, hit: rule === 'slowCallRate' ? elapsedMs >= slowCallMs : failed });
    for (const part of this.parts) part.record(failed, elapsedMs, now);
  }

  clear(now: number): void {
    this.#samples = [];
    this.#since = now;
    for (const part of this.parts) part.clear(now);
  }

  /** S15: the last N calls, or those of the running and the B − 1 buckets before. In a row: those since the last success. */
  #visible(now: number) {
    const { rule, windowCalls, windowMs, buckets = 10 } = this.spec;
    if (rule === 'consecutiveFailures') return this.#samples.slice(this.#samples.findLastIndex(({ hit }) => !hit) + 1);
    if (windowMs === undefined) return this.#samples.slice(-(windowCalls ?? 1));
    const bucketOf = (at: number) => Math.floor((at - this.#since) / (windowMs / buckets));
    return this.#samples.filter(({ at }) => bucketOf(at) > bucketOf(now) - buckets);
  }

  /** S16–S18 */
  measure(now: number): Measured {
    const { rule, threshold = 0, confidence, windowCalls = Infinity } = this.spec;
    const parts = this.parts.map((part) => part.measure(now));
    if (rule === 'allOf') {
      const value = parts.filter(({ met }) => met).length;
      const calls = Math.max(...parts.map((part) => part.calls));
      const most = (key: 'failures' | 'slowCalls') => Math.max(...parts.map((part) => part[key]));
      const [failures, slowCalls] = [most('failures'), most('slowCalls')];
      const met = value === parts.length;
      return { rule, value, threshold: parts.length, calls, hits: slowCalls, failures, slowCalls, parts, met };
    }
    if (rule === 'anyOf') {
      const nearest = (a: Measured, b: Measured) => (b.value / b.threshold > a.value / a.threshold ? b : a);
      return { ...(parts.find(({ met }) => met) ?? parts.reduce(nearest)), parts };
    }
    const window = this.#visible(now);
    const [calls, hits] = [window.length, window.filter(({ hit }) => hit).length];
    const isRate = rule === 'failureRate' || rule === 'slowCallRate';
    const { minimumCalls = isRate ? 20 : 1 } = this.spec;
    const rate = calls > 0 && confidence ? wilson(hits, calls, quantile[confidence]) : hits / Math.max(1, calls);
    const value = isRate ? rate : hits;
    const met = calls >= Math.min(minimumCalls, windowCalls) && value >= threshold;
    const [failures, slowCalls] = rule === 'slowCallRate' ? [0, hits] : [hits, 0];
    return { rule, value, threshold, calls, hits, failures, slowCalls, parts, met };
  }

  /** S26: the same rule goes on with its samples where the new window can hold them; any other begins anew. */
  successor(spec: RuleSpec, now: number): NaiveRule {
    const next = new NaiveRule(spec, now);
    const sizeOf = ({ rule, windowMs, buckets = 10 }: RuleSpec) => `${rule} ${windowMs} ${windowMs && buckets}`;
    if (sizeOf(this.spec) !== sizeOf(spec)) return next;
    next.#samples = this.#visible(now);
    next.#since = this.#since;
    for (const [i, part] of next.parts.entries()) next.parts[i] = this.parts[i]?.successor(part.spec, now) ?? part;
    return next;
  }

  /** S1: the samples as far back as they were, in a process where it is later. */
  later(ms: number): NaiveRule {
    const copy = new NaiveRule(this.spec, this.#since + ms);
    copy.#samples = this.#samples.map(({ at, hit }) => ({ at: at + ms, hit }));
    for (const [i, part] of this.parts.entries()) copy.parts[i] = part.later(ms);
    return copy;
  }
}

/** What a rule needs of a call, or of the first of its parts that needs anything. */
export function needsOf(spec: RuleSpec): {
  readonly time: boolean;
  readonly durations: boolean;
  readonly slowCallMs: number;
} {
  const all = [spec, ...(spec.parts ?? []), ...(spec.parts ?? []).flatMap((part) => part.parts ?? [])];
  const slow = all.flatMap(({ slowCallMs }) => slowCallMs ?? []);
  return {
    time: all.some(({ windowMs }) => windowMs !== undefined),
    durations: slow.length > 0,
    slowCallMs: Math.min(...slow),
  };
}
