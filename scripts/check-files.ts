// A file does one thing, and its name says which: lengths, names and folder sizes.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';

const maxLines = 400;
const maxMedianLines = 100;
const maxFilesPerFolder = 12;
const emptyName = /^(utils?|helpers?|common|types|misc)(\.|$)/;

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { encoding: 'utf8' });
const files = listed
  .split('\n')
  .filter((path) => /\.[cm]?[jt]sx?$/.test(path) && existsSync(path))
  .map((path) => ({ path, lines: readFileSync(path, 'utf8').split('\n').length - 1 }));
const sources = files.filter(({ path }) => /^packages\/[^/]+\/src\//.test(path) && !path.endsWith('.test.ts'));

const faults: string[] = [];
for (const { path, lines } of files) {
  if (lines > maxLines) faults.push(`${path}: ${lines} lines, at most ${maxLines}`);
  if (path.split('/').some((part) => emptyName.test(part))) faults.push(`${path}: a name that says nothing`);
}

const folders = new Map<string, number>();
for (const { path } of sources) folders.set(dirname(path), (folders.get(dirname(path)) ?? 0) + 1);
for (const [folder, count] of folders) {
  if (count > maxFilesPerFolder) faults.push(`${folder}: ${count} source files, at most ${maxFilesPerFolder}`);
}

const median = sources.map(({ lines }) => lines).sort((a, b) => a - b)[sources.length >> 1] ?? 0;
if (median > maxMedianLines) faults.push(`median of ${median} lines a source file, at most ${maxMedianLines}`);

console.log(faults.length > 0 ? faults.join('\n') : `${sources.length} source files, median ${median} lines`);
process.exitCode = faults.length > 0 ? 1 : 0;
