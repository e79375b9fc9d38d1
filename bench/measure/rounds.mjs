import { turn } from './own.mjs';

export const median = (list) => {
  const sorted = [...list].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
};

async function timed({ loop, call }, calls) {
  const started = process.hrtime.bigint();
  await loop(call, calls);
  return Number(process.hrtime.bigint() - started) / calls;
}

/**
 * Nanoseconds a call of each subject: the median over rounds in which all take their turn, so that whatever else the machine
 * does falls on all alike. Calls come in multiples of `step`, and there are `least` of them.
 */
export async function measureRounds(subjects, { rounds, roundMs, warmUpMs }, { step = 1, least = 0 }) {
  const entries = Object.entries(subjects).map(([name, subject]) => ({
    name,
    subject,
    calls: 0,
    perRound: 0,
    taken: [],
  }));
  const runs = async (entry, calls) => {
    await turn();
    entry.calls += calls;
    return timed(entry.subject, calls);
  };
  for (let pass = 0; pass < 3; pass++) {
    for (const entry of entries) {
      let spent = 0;
      for (let calls = step; spent < (warmUpMs * 1e6) / 3; calls *= 2) {
        const each = await runs(entry, calls);
        spent += each * calls;
        entry.perRound = Math.ceil((roundMs * 1e6) / each / step) * step;
      }
    }
  }
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[(round + i) % entries.length];
      entry.taken.push(await runs(entry, entry.perRound));
    }
  }
  for (const entry of entries) if (entry.calls < least) await runs(entry, least - entry.calls);
  await turn();
  const results = {};
  for (const { name, subject, calls, taken } of entries) {
    results[name] = { value: median(taken), detail: (await subject.check?.(calls)) ?? {} };
  }
  return results;
}
