import { Check } from '../../core/check.ts';
import { checkRule, type Measurement, type TripCounter, type TripRule } from './rule.ts';

class CombinedCounter implements TripCounter {
  readonly #name: 'anyOf' | 'allOf';
  readonly #parts: readonly TripCounter[];
  /** What each part said of the last sample. */
  readonly #trips: boolean[];

  constructor(name: 'anyOf' | 'allOf', parts: readonly TripCounter[]) {
    this.#name = name;
    this.#parts = parts;
    this.#trips = parts.map(() => false);
  }

  record(failed: boolean, elapsedMs: number, now: number): boolean {
    const parts = this.#parts;
    let trips = 0;
    // Every part counts every call: no short cut.
    for (let i = 0; i < parts.length; i++) {
      if ((this.#trips[i] = (parts[i] as TripCounter).record(failed, elapsedMs, now))) trips++;
    }
    return this.#name === 'anyOf' ? trips > 0 : trips === parts.length;
  }

  measure(now: number): Measurement {
    const parts = this.#parts.map((part) => part.measure(now));
    if (this.#name === 'allOf') {
      const met = this.#trips.filter(Boolean).length;
      return {
        rule: 'allOf',
        value: met,
        threshold: parts.length,
        calls: Math.max(...parts.map((p) => p.calls)),
        parts,
      };
    }
    const nearest = (a: Measurement, b: Measurement) => (b.value / b.threshold > a.value / a.threshold ? b : a);
    const decided = parts.find((_, i) => this.#trips[i]) ?? parts.reduce(nearest);
    return { ...decided, parts };
  }

  clear(now: number): void {
    for (const part of this.#parts) part.clear(now);
    this.#trips.fill(false);
  }

  toJSON(now: number): unknown {
    return this.#parts.map((part) => part.toJSON(now));
  }
}

function combined(name: 'anyOf' | 'allOf', given: readonly TripRule[]): TripRule {
  const check = new Check(name);
  if (given.length === 0) check.fault('rules', 'one trip rule or more', undefined, false);
  for (const [i, rule] of given.entries()) checkRule(check, `rule ${i + 1}`, rule);
  check.done();
  const rules = [...given];
  const slow = rules.flatMap(({ slowCallMs }) => slowCallMs ?? []);
  const reads = rules.map((rule) => rule.reads);
  return {
    name,
    reads: reads.includes('time') ? 'time' : reads.find((word) => word !== undefined),
    slowCallMs: slow.length === 0 ? undefined : Math.min(...slow),
    start(now, saved) {
      if (saved !== undefined && !(Array.isArray(saved) && saved.length === rules.length)) {
        throw new TypeError(`${name}: a list with one entry for each of its ${rules.length} rules`);
      }
      return new CombinedCounter(
        name,
        rules.map((rule, i) => rule.start(now, saved?.[i])),
      );
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
