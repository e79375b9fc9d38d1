// `npm run bench`: the table of DESIGN.md, "Speed and memory", measured here and now. How: docs/performance.md.
import { readFileSync } from 'node:fs';
import { cpus, totalmem } from 'node:os';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { plan } from './plan.mjs';
import { measurePath } from './processes.mjs';
import { report } from './report.mjs';
import { makeSilent } from './silent.mjs';

const usage = `usage: node bench/main.mjs [--json] [--quick] [--only PATH]… [--rounds 100] [--processes 5] [--build FILE]
  --json   one JSON document on stdout, nothing else      --quick  once and briefly; a missed bar is no failure
  --only   one of: ${plan.map(({ id }) => id).join(' ')}
  --build  another build of recloser, for comparison: its index.js`;

function readArguments() {
  try {
    const { values } = parseArgs({
      options: {
        json: { type: 'boolean', default: false },
        quick: { type: 'boolean', default: false },
        only: { type: 'string', multiple: true },
        rounds: { type: 'string' },
        processes: { type: 'string' },
        build: { type: 'string' },
      },
    });
    const count = (name, otherwise) => {
      const number = Number(values[name] ?? otherwise);
      if (!Number.isSafeInteger(number) || number < 1) throw new TypeError(`--${name}: a whole number from 1`);
      return number;
    };
    for (const id of values.only ?? []) {
      if (!plan.some((path) => path.id === id)) throw new TypeError(`--only: no path '${id}'`);
    }
    const { quick } = values;
    return {
      ...values,
      rounds: count('rounds', quick ? 5 : 100),
      processes: count('processes', quick ? 1 : 5),
      build: values.build && pathToFileURL(values.build).href,
    };
  } catch (fault) {
    console.error(`${fault.message}\n${usage}`);
    process.exit(2);
  }
}

const versionOf = (folder) => {
  const { name, version } = JSON.parse(
    readFileSync(new URL(`../node_modules/${folder}/package.json`, import.meta.url)),
  );
  return { [name]: version };
};

const { json, quick, only, rounds, processes, build } = readArguments();
const how = {
  rounds,
  processes,
  build,
  roundMs: quick ? 1 : 2,
  warmUpMs: quick ? 30 : 300,
  breakers: quick ? 1_000 : 10_000,
  idleMs: quick ? 300 : 3_000,
  pairs: quick ? 1 : 4,
};
const wanted = plan.filter(({ id }) => only?.includes(id) ?? true);
if (wanted.some(({ silent }) => silent)) {
  process.env.SILENT_BUILD = makeSilent(build ?? import.meta.resolve('recloser'));
}
const paths = [];
for (const path of wanted) {
  const { id, title, unit, scale } = path;
  const rows = await measurePath(path, how, (progress) => console.error(progress));
  paths.push({ id, title, unit, scale, rows });
}
const rows = paths.flatMap((path) => path.rows);
const [cpu] = cpus();
const modern = Number.parseInt(process.versions.node, 10) >= 22;
const result = {
  node: process.versions.node,
  v8: process.versions.v8,
  machine: {
    cpu: cpu?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    system: `${process.platform} ${process.arch}`,
  },
  date: new Date().toISOString(),
  rivals: { ...versionOf('opossum'), ...versionOf(modern ? 'cockatiel4' : 'cockatiel3'), ...versionOf('mollitia') },
  rounds,
  processes,
  met: rows.every((row) => row.bars.every((bar) => bar.met)),
};
console.log(json ? JSON.stringify({ ...result, rows }, undefined, 2) : report({ ...result, paths }));
process.exitCode = result.met || quick ? 0 : 1;
