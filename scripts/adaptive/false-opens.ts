import { adaptive, type TripRule } from 'recloser';
import { chance } from '../../test/support/chance.ts';
import { contenders, loads, sleepMs } from './contenders.ts';

export interface FalseOpens {
  readonly contender: string;
  readonly perSecond: number;
  readonly opened: number;
  readonly days: number;
}

export const calls = 10_000_000;
/** Of `adaptive`, so many that 10,000,000 calls show them. */
export const allowed = [100, 10, 1] as const;

/** Steady traffic of independent calls: a tenth fails. Each opening is a false one. */
export function falseOpens(): FalseOpens[] {
  const rules: { readonly name: string; readonly rule: TripRule }[] = [
    ...contenders,
    ...allowed.map((falseOpensPerDay) => ({ name: String(falseOpensPerDay), rule: adaptive({ falseOpensPerDay }) })),
  ];
  return loads.flatMap((perSecond, i) => {
    const { gap, unit, normal } = chance(1_000 + i);
    const circuits = rules.map(({ name, rule }) => ({ name, counter: rule.start(0), opened: 0, closesAt: 0 }));
    let now = 0;
    for (let n = 0; n < calls; n++) {
      now += gap(perSecond);
      const failed = unit() < 0.1;
      const ms = 50 * Math.exp(0.6 * normal());
      for (const circuit of circuits) {
        if (now < circuit.closesAt || !circuit.counter.record(failed, ms, now)) continue;
        circuit.opened++;
        circuit.closesAt = now + sleepMs;
        circuit.counter.clear(now);
      }
    }
    const days = now / 86_400_000;
    return circuits.map(({ name, opened }) => ({ contender: name, perSecond, opened, days }));
  });
}
