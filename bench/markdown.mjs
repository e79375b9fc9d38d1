// The tables of docs/performance.md, from one or more runs: `node bench/markdown.mjs node-20.json node-24.json`.
import { readFileSync } from 'node:fs';

const runs = process.argv.slice(2).map((file) => JSON.parse(readFileSync(file, 'utf8')));
if (runs.length === 0) throw new Error('usage: node bench/markdown.mjs FILE… (what `npm run bench -- --json` printed)');

const subjects = ['bare', 'recloser', 'opossum', 'cockatiel', 'mollitia'];
const line = (cells) => `| ${cells.join(' | ')} |`;
const table = (head, rows) => [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
const figure = (number) => {
  if (number >= 10_000) return `${Math.round(number / 1_000)},000`;
  return number >= 100 ? Math.round(number).toLocaleString('en') : String(Number(number.toPrecision(2)));
};
const times = (number) => (number >= 10 ? figure(number) : number.toFixed(number < 0.1 ? 3 : 2));
const verdict = (limits) =>
  limits.map(({ against, most, figure, met }) => {
    const limit = `≤ ${most}${against === undefined ? '' : ` × ${against}`}`;
    return `${limit}: ${against === undefined ? figure : times(figure)}${met ? '' : ' **missed**'}`;
  });

for (const run of runs) {
  const { node, v8, machine, date, rivals, processes, rounds, rows } = run;
  const of = (path, subject) => rows.find((row) => row.path === path && row.subject === subject);
  const paths = [...new Map(rows.map(({ path, title, unit }) => [path, { path, title, unit }])).values()];
  const versions = Object.entries(rivals).map(([name, version]) => `${name} ${version}`);
  console.log(`## Node ${node}\n`);
  console.log(
    `V8 ${v8} · ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB, ${machine.system} · ${date.slice(0, 10)} ·` +
      ` ${versions.join(', ')} · medians of ${processes} processes, ${rounds} rounds each\n`,
  );
  console.log(
    table(
      ['path', ...subjects, 'bars', 'aims'],
      paths.map(({ path, title, unit }) => [
        `${title}, ${unit}`,
        ...subjects.map((subject) => {
          const row = of(path, subject);
          if (row === undefined) return '–';
          const ratio = row.ratios.bare === undefined ? '' : ` (${times(row.ratios.bare)} ×)`;
          return `${figure(row.median)}${ratio}`;
        }),
        verdict(of(path, 'recloser').bars).join('<br>') || '–',
        verdict(of(path, 'recloser').aims).join('<br>') || '–',
      ]),
    ),
  );
  console.log();
}
