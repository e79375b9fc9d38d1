// The score of the last mutation run by group, against its bar. What decides is held higher than what surrounds it.
import { readFileSync } from 'node:fs';

interface Report {
  readonly files: Record<string, { readonly mutants: readonly { readonly status: string }[] }>;
}

const source = 'packages/recloser/src/';
const groups = [
  {
    name: 'machine, windows and trip rules',
    bar: 95,
    files: /^(breaker\/machine\.ts|breaker\/trip-rules\/|windows\/)/,
  },
  { name: 'shell', bar: 80, files: /^(breaker|core)\// },
  { name: 'policies, pipeline and registry', bar: 85, files: /^(policies|pipeline|registry)\// },
];

const { files } = JSON.parse(readFileSync('reports/mutation/mutation.json', 'utf8')) as Report;
const left = new Map(Object.entries(files).map(([path, { mutants }]) => [path.replace(source, ''), mutants]));
for (const { name, bar, files } of groups) {
  const paths = [...left.keys()].filter((path) => files.test(path));
  const statuses = paths.flatMap((path) => left.get(path)?.map(({ status }) => status) ?? []);
  for (const path of paths) left.delete(path);
  const detected = statuses.filter((status) => status === 'Killed' || status === 'Timeout').length;
  const valid = detected + statuses.filter((status) => status === 'Survived' || status === 'NoCoverage').length;
  const score = valid > 0 ? (100 * detected) / valid : 0;
  const met = score >= bar;
  console.log(`${met ? 'ok    ' : 'FAILED'}  ${score.toFixed(1)} % of ${valid} mutants, bar ${bar} %: ${name}`);
  if (!met) process.exitCode = 1;
}
