// Draws the curves of docs/policies/adaptive.md and writes its tables: npm run docs:adaptive [-- --traces <folder>]
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { chart, type Line } from './adaptive/chart.ts';
import { contenders, loads } from './adaptive/contenders.ts';
import { allowed, calls, falseOpens } from './adaptive/false-opens.ts';
import { recorded } from './adaptive/recorded.ts';
import { moments, outages, type TimeToOpen, timeToOpen } from './adaptive/time-to-open.ts';

const { values } = parseArgs({ options: { traces: { type: 'string' } } });
const document = 'docs/policies/adaptive.md';
const names = contenders.map(({ name }) => name);

const lines = <T extends { contender: string; perSecond: number }>(
  results: readonly T[],
  y: (result: T) => number,
  of: readonly string[] = names,
): Line[] =>
  of.map((name) => ({
    name,
    points: results
      .filter(({ contender }) => contender === name)
      .map((result) => ({ x: result.perSecond, y: y(result) })),
  }));

function draw(name: string, svg: string): void {
  writeFileSync(`docs/policies/${name}.svg`, svg);
  console.log(`docs/policies/${name}.svg`);
}

/** Puts a table where the document has room for it. */
function fill(name: string, table: readonly (readonly (string | number)[])[], note = ''): void {
  const [head = [], ...rows] = table.map((cells) => `| ${cells.join(' | ')} |`);
  const rule = `|${'---|'.repeat(table[0]?.length ?? 0)}`;
  const place = new RegExp(`(<!-- table: ${name} -->\n)[\\s\\S]*?(<!-- end -->)`);
  const before = readFileSync(document, 'utf8');
  if (!place.test(before)) throw new Error(`${document} has no room for the table ${name}`);
  writeFileSync(document, before.replace(place, `$1${[head, rule, ...rows, ...(note && ['', note])].join('\n')}\n$2`));
  console.log(`${document}: ${name}`);
}

const seconds = (ms: number): string => {
  if (ms === Infinity) return 'never';
  const s = ms / 1_000;
  return s >= 100 ? `${Math.round(s)} s` : `${Number(s.toPrecision(2))} s`;
};
const median = ({ ms }: TimeToOpen): number => ms[ms.length >> 1] as number;

const wrong = falseOpens();
const perDay = ({ opened, days }: { opened: number; days: number }): number =>
  opened > 0 ? opened / days : Number.NaN;
const [lowest, highest] = [loads[0], loads[loads.length - 1] as number];
const level = (name: string, y: number): Line => ({ name, points: [lowest, highest].map((x) => ({ x, y })) });
const single = { name: '', points: [lowest, highest].map((x) => ({ x, y: (x * 86_400) / calls })) };
const axes = { yLabel: 'false opens a day', from: 0.0001, to: 10_000 };
draw(
  'adaptive-false-opens',
  chart(
    'False opens a day over the load',
    [
      {
        title: 'Nothing but 10 % failures',
        ...axes,
        lines: lines(wrong, perDay),
        guides: [level('adaptive() may do so', 0.01), single],
      },
      {
        title: 'adaptive({ falseOpensPerDay }): 100, 10, 1',
        ...axes,
        lines: lines(wrong, perDay, allowed.map(String)).map((line) => ({ ...line, look: 0 })),
        guides: [...allowed.map((may) => level(`${may} allowed`, may)), single],
      },
    ],
    loads,
    `the rising line: one in ${calls.toLocaleString('en')} calls, as many as were made; no mark: none`,
  ),
);
fill('false-opens', [
  ['calls a second', 'days', ...names],
  ...loads.map((load) => {
    const at = wrong.filter(({ perSecond }) => perSecond === load);
    const days = at[0]?.days ?? Number.NaN;
    return [
      load.toLocaleString('en'),
      Number(days.toPrecision(2)),
      ...at.slice(0, names.length).map(({ opened }) => opened.toLocaleString('en')),
    ];
  }),
]);

const soon = timeToOpen(outages);
draw(
  'adaptive-time-to-open',
  chart(
    'Time to open over the load',
    outages.map(({ name }) => ({
      title: name,
      yLabel: 'seconds until it opens',
      from: 0.01,
      to: 1_000,
      lines: lines(
        soon.filter(({ fault }) => fault === name),
        (result) => median(result) / 1_000,
      ),
    })),
    loads,
    'median of 21 outages; no mark: it did not open in most of them',
  ),
);
fill('time-to-open', [
  ['outage', 'calls a second', ...names],
  ...outages.flatMap(({ name }) =>
    loads.map((load) => {
      const at = soon.filter(({ fault, perSecond }) => fault === name && perSecond === load);
      return [name, load.toLocaleString('en'), ...at.map((result) => seconds(median(result)))];
    }),
  ),
]);

const passing = timeToOpen(moments);
fill('moments', [
  ['moment', 'calls a second', ...names],
  ...moments.flatMap(({ name }) =>
    loads
      .filter((load) => load >= 10)
      .map((load) => {
        const at = passing.filter(({ fault, perSecond }) => fault === name && perSecond === load);
        return [name, load.toLocaleString('en'), ...at.map(({ ms }) => ms.filter((at) => at < Infinity).length)];
      }),
  ),
]);

if (values.traces === undefined) console.log('recordings: left as they are; --traces <folder> reads them anew');
else {
  const all = recorded(values.traces);
  const shown = all.filter(({ recording, dependency }) =>
    all.some((other) => other.recording === recording && other.dependency === dependency && other.openedAt.length > 0),
  );
  const keys = [...new Set(shown.map(({ recording, dependency }) => `${recording}\n${dependency}`))];
  const told = (openedAt: readonly number[], faultAt: number): string => {
    const [early, late] = [openedAt.filter((at) => at < faultAt), openedAt.filter((at) => at >= faultAt)];
    const after = late[0] === undefined ? '' : `after ${seconds(late[0] - faultAt)}`;
    return [early.length > 0 ? `${early.length} false` : '', after].filter(Boolean).join(', ') || 'no';
  };
  const dependencies = new Set(all.map(({ recording, dependency }) => `${recording}\n${dependency}`));
  const table = [
    ['recording', 'dependency', 'calls', ...names],
    ...keys.map((key) => {
      const rows = shown.filter(({ recording, dependency }) => `${recording}\n${dependency}` === key);
      const [recording = '', dependency = ''] = key.split('\n');
      const calls = rows[0]?.calls.toLocaleString('en') ?? '';
      return [
        recording,
        dependency.replace(/_AWS::/, ' '),
        calls,
        ...rows.map(({ openedAt, faultAt }) => told(openedAt, faultAt)),
      ];
    }),
  ];
  fill(
    'recordings',
    table,
    `${dependencies.size} dependencies in all, no rule opened on the other ${dependencies.size - keys.length}.`,
  );
}
