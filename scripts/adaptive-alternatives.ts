// What was weighed for adaptive() (docs/decisions): sequential tests that are equally often wrong, by how soon they are right.
import { wilsonLowerBound } from '../packages/recloser/src/breaker/trip-rules/wilson.ts';
import { chance } from '../test/support/chance.ts';

/** 2 % of the calls are bad normally; what is looked for is more than a third of them. */
const share = 0.02;
const allowance = 1 / 3;
const callsToFalseAlarm = 100_000;

/** A test at work: takes up one call, true for alarm. */
type Detector = (bad: boolean) => boolean;
/** Makes one that is the harder to alarm the higher the level. */
type Test = (level: number) => Detector;

/** The log-likelihood ratios whose sum neither rises nor falls at the allowance. */
function ratios(): { bad: number; good: number } {
  let [low, high] = [allowance, 1];
  for (let i = 0; i < 60; i++) {
    const other = (low + high) / 2;
    const drift = allowance * Math.log(other / share) + (1 - allowance) * Math.log((1 - other) / (1 - share));
    if (drift > 0) low = other;
    else high = other;
  }
  return { bad: Math.log(low / share), good: Math.log((1 - low) / (1 - share)) };
}
const { bad: ifBad, good: ifGood } = ratios();

const page: Test = (level) => {
  let sum = 0;
  return (bad) => {
    sum = Math.max(0, sum + (bad ? ifBad : ifGood));
    return sum >= level;
  };
};

const shiryaevRoberts: Test = (level) => {
  let odds = 0;
  return (bad) => {
    odds = (1 + odds) * Math.exp(bad ? ifBad : ifGood);
    return odds >= Math.exp(level);
  };
};

/** Wald's test for "normal" against "outage", begun anew each time it has decided for "normal" (2.3: at 10 : 1). */
const repeatedWald: Test = (level) => {
  let sum = 0;
  return (bad) => {
    sum += bad ? ifBad : ifGood;
    if (sum <= -2.3) sum = 0;
    return sum >= level;
  };
};

/** The lower end of the Wilson interval over the last calls is above the allowance; the level is its width. */
const wilson =
  (calls: number): Test =>
  (level) => {
    const window: boolean[] = new Array<boolean>(calls).fill(false);
    let [next, hits] = [0, 0];
    return (bad) => {
      hits += Number(bad) - Number(window[next]);
      window[next] = bad;
      next = (next + 1) % calls;
      return wilsonLowerBound(hits, calls, level) > allowance;
    };
  };

const inARow: Test = (level) => {
  let row = 0;
  return (bad) => {
    row = bad ? row + 1 : 0;
    return row >= level;
  };
};

function meanCalls(test: Test, level: number, badShare: number, runs: number, longest: number, seed: number): number {
  const { unit } = chance(seed);
  let sum = 0;
  for (let run = 0; run < runs; run++) {
    const detector = test(level);
    if (badShare > share) for (let i = 0; i < 200; i++) if (detector(unit() < share)) break;
    let calls = 1;
    while (!detector(unit() < badShare) && calls < longest) calls++;
    sum += calls;
  }
  return sum / runs;
}

/** The lowest level at which a false alarm is as rare as wanted. */
function calibrated(test: Test): number {
  let [low, high] = [0, 20];
  for (let i = 0; i < 14; i++) {
    const level = (low + high) / 2;
    if (meanCalls(test, level, share, 60, 10 * callsToFalseAlarm, 1) < callsToFalseAlarm) low = level;
    else high = level;
  }
  return high;
}

const tests: Record<string, Test> = {
  'Page (CUSUM)': page,
  'Shiryaev–Roberts': shiryaevRoberts,
  'Wald (SPRT), repeated': repeatedWald,
  'Wilson bound, last 20 calls': wilson(20),
  'Wilson bound, last 100 calls': wilson(100),
  'bad calls in a row': inARow,
};

console.log(`mean calls to the alarm; false alarms once in ${callsToFalseAlarm} calls or rarer\n`);
console.log('| test | all bad | 70 % bad | half bad | 40 % bad |\n|---|---|---|---|---|');
for (const [name, test] of Object.entries(tests)) {
  const level = calibrated(test);
  const means = [1, 0.7, 0.5, 0.4].map((bad) => meanCalls(test, level, bad, 2_000, 20_000, 2).toFixed(1));
  console.log(`| ${name} | ${means.join(' | ')} |`);
}
