import { atOnce } from '../../core/asked.ts';
import { read } from '../../core/check.ts';
import { type Measurement, type TripCounter, type TripRule, tripRule } from './rule.ts';

const isMet = ({ value, threshold, calls, minimumCalls = 0 }: Measurement): boolean =>
  calls >= minimumCalls && value >= threshold;

/** Of the parts of `anyOf` the one that decided, or would as the next. */
const decisive = (parts: readonly Measurement[]): Measurement =>
  parts.find(isMet) ?? parts.reduce((a, b) => (b.value / b.threshold > a.value / a.threshold ? b : a));

const most = (parts: readonly Measurement[], key: 'calls' | 'failures' | 'slowCalls'): number =>
  Math.max(...parts.map((part) => part[key] ?? 0));

type Report = (fault: unknown) => void;

class CombinedCounter implements TripCounter {
  readonly #rules: readonly TripRule[];
  readonly #parts: readonly TripCounter[];
  readonly #all: boolean;
  readonly #report: Report;
  readonly slowCallMs?: (now: number) => number;

  constructor(rules: readonly TripRule[], parts: readonly TripCounter[], all: boolean, report: Report) {
    this.#rules = rules;
    this.#parts = parts;
    this.#all = all;
    this.#report = report;
    const learning = parts.filter((part) => 'slowCallMs' in part);
    if (learning.length === 0) return;
    // It is asked of each call.
    this.slowCallMs = (now) => {
      let lowest = Infinity;
      for (const part of learning) {
        try {
          lowest = Math.min(lowest, part.slowCallMs?.(now) ?? Infinity);
        } catch (fault) {
          report(fault);
        }
      }
      return lowest;
    };
  }

  record(failed: boolean, elapsedMs: number, now: number): boolean {
    let trips = 0;
    // Every part counts every call: there is no short cut, and one that throws does not open.
    for (const part of this.#parts) {
      try {
        const trip = part.record(failed, elapsedMs, now);
        if (trip && atOnce(trip, { name: 'trip', onListenerError: this.#report }, 'trip')) trips++;
      } catch (fault) {
        this.#report(fault);
      }
    }
    return trips >= (this.#all ? this.#parts.length : 1);
  }

  measure(now: number): Measurement {
    const parts = this.#ask<Measurement>(
      (part) => part.measure(now),
      ({ name: rule }) => ({ rule, value: 0, threshold: 1, calls: 0 }),
    );
    if (!this.#all) return { ...decisive(parts), parts };
    return {
      rule: 'allOf',
      value: parts.filter(isMet).length,
      threshold: parts.length,
      calls: most(parts, 'calls'),
      failures: most(parts, 'failures'),
      slowCalls: most(parts, 'slowCalls'),
      parts,
    };
  }

  clear(now: number): void {
    this.#ask((part) => part.clear(now));
  }

  #ask<T>(question: (part: TripCounter) => T, otherwise?: (rule: TripRule) => T): T[] {
    return this.#parts.map((part, i) => {
      try {
        return question(part);
      } catch (fault) {
        this.#report(fault);
        return otherwise?.(this.#rules[i] as TripRule) as T;
      }
    });
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
    start(
      now,
      saved = [],
      report = (fault) => {
        throw fault;
      },
    ) {
      if (!Array.isArray(saved)) throw new TypeError(`${name}: the state of a combined rule is a list`);
      const parts = rules.map((rule, i) => {
        const [savedName, state] = Array.isArray(saved[i]) ? saved[i] : [];
        return rule.start(now, savedName === rule.name ? state : undefined, report);
      });
      return new CombinedCounter(rules, parts, name === 'allOf', report);
    },
    // By position: two parts may have one name. What another rule has measured (the options have changed since) is found by name.
    describe(m) {
      const { parts = [] } = m;
      const said = (i: number, part: Measurement = m): string | undefined => {
        const rule = rules[i];
        return rule?.name === part.rule || rule?.name.endsWith('Of') ? rule?.describe?.(part) : undefined;
      };
      if (name === 'allOf' && m.rule === name) return parts.map((part, i) => said(i, part) ?? part.rule).join(' and ');
      const i = parts.length > 0 ? parts.indexOf(decisive(parts)) : rules.findIndex((rule) => rule.name === m.rule);
      return said(i, parts[i]);
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
