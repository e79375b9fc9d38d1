import { read } from '../../core/check.ts';
import { type Measurement, type TripCounter, type TripRule, tripRule } from './rule.ts';

const isMet = ({ value, threshold, calls, minimumCalls = 0 }: Measurement): boolean =>
  calls >= minimumCalls && value >= threshold;

class CombinedCounter implements TripCounter {
  readonly #rules: readonly TripRule[];
  readonly #parts: readonly TripCounter[];
  readonly #all: boolean;

  constructor(rules: readonly TripRule[], parts: readonly TripCounter[], all: boolean) {
    this.#rules = rules;
    this.#parts = parts;
    this.#all = all;
  }

  record(failed: boolean, elapsedMs: number, now: number): boolean {
    let trips = 0;
    // Every part counts every call: no short cut.
    for (const part of this.#parts) if (part.record(failed, elapsedMs, now)) trips++;
    return trips >= (this.#all ? this.#parts.length : 1);
  }

  measure(now: number): Measurement {
    const parts = this.#parts.map((part) => part.measure(now));
    if (this.#all) {
      const calls = Math.max(...parts.map((part) => part.calls));
      return { rule: 'allOf', value: parts.filter(isMet).length, threshold: parts.length, calls, parts };
    }
    const nearest = (a: Measurement, b: Measurement) => (b.value / b.threshold > a.value / a.threshold ? b : a);
    return { ...(parts.find(isMet) ?? parts.reduce(nearest)), parts };
  }

  clear(now: number): void {
    for (const part of this.#parts) part.clear(now);
  }

  slowCallMs(now: number): number {
    let lowest = Infinity;
    for (const part of this.#parts) lowest = Math.min(lowest, part.slowCallMs?.(now) ?? Infinity);
    return lowest;
  }

  /** `[rule, state]` of each part: a part that is another rule by then begins anew. */
  toJSON(now: number): unknown {
    return this.#parts.map((part, i) => [this.#rules[i]?.name, part.toJSON(now)]);
  }
}

function combined(name: 'anyOf' | 'allOf', given: readonly TripRule[]): TripRule {
  const rules = read(name, given, (_value, _path, fault) => {
    if (given.length === 0) fault('rules', 'one trip rule or more', undefined, false);
    return given.map((rule, i) => tripRule(rule, `rule ${i + 1}`, fault));
  });
  const slow = rules.flatMap(({ slowCallMs }) => slowCallMs ?? []);
  const reads = rules.map((rule) => rule.reads);
  return {
    name,
    reads: reads.includes('time') ? 'time' : reads.find((word) => word !== undefined),
    slowCallMs: slow.length === 0 ? undefined : Math.min(...slow),
    start(now, saved = []) {
      if (!Array.isArray(saved)) throw new TypeError(`${name}: the state of a combined rule is a list`);
      const parts = rules.map((rule, i) => {
        const [savedName, state] = Array.isArray(saved[i]) ? saved[i] : [];
        return savedName === rule.name ? rule.start(now, state) : rule.start(now);
      });
      return new CombinedCounter(rules, parts, name === 'allOf');
    },
    describe(m) {
      const said = (part: Measurement): string | undefined =>
        rules.find((rule) => rule.name === part.rule)?.describe?.(part);
      return m.rule === 'allOf' ? m.parts?.map((part) => said(part) ?? part.rule).join(' and ') : said(m);
    },
  };
}

/** Opens when any of the rules says so. Each counts every call. @throws TypeError, RangeError */
export function anyOf(...rules: readonly TripRule[]): TripRule {
  return combined('anyOf', rules);
}

/** Opens when all of the rules say so of the same call. Each counts every call. @throws TypeError, RangeError */
export function allOf(...rules: readonly TripRule[]): TripRule {
  return combined('allOf', rules);
}
