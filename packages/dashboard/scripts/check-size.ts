// What a browser loads of the page, gzipped: all of it, and what has to be there until the list is (not the worker that brings its figures).
import { readdirSync, readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';

const folder = new URL('../dist/page/', import.meta.url);
const sizes = readdirSync(folder)
  .filter((name) => !name.endsWith('.txt'))
  .map((name) => ({ name, bytes: gzipSync(readFileSync(new URL(name, folder)), { level: 9 }).length }));
const sum = (files: typeof sizes): number => files.reduce((total, { bytes }) => total + bytes, 0);

const limits = [
  { what: 'the whole page', bytes: sum(sizes), limit: 60_000 },
  { what: 'its list', bytes: sum(sizes.filter(({ name }) => !/^(plots|worker)-/.test(name))), limit: 32_300 },
];
for (const { what, bytes, limit } of limits) console.log(`${what}: ${bytes} B gzipped, at most ${limit}`);
process.exitCode = sizes.length > 0 && limits.every(({ bytes, limit }) => bytes <= limit) ? 0 : 1;
