// Builds the page and its worker into dist/page: scripts and styles with the hash of their content in their names, and the licences of what is in them.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build, type OutputFile } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const source = join(root, 'src/page');
const target = join(root, 'dist/page');
const bundled = ['preact', '@preact/signals', '@preact/signals-core', 'uplot'];

const options = {
  outdir: target,
  entryNames: '[name]-[hash]',
  bundle: true,
  minify: true,
  target: ['es2022', 'chrome111', 'firefox115', 'safari16.4'],
  charset: 'utf8',
  legalComments: 'none',
  tsconfigRaw: '{}',
  write: false,
} satisfies BuildOptions;

/** @returns whether it was out of date */
export async function buildPage({ always = true } = {}): Promise<boolean> {
  if (!always && isFresh()) return false;
  const worker = await build({ ...options, entryPoints: { worker: join(source, 'stream/worker.ts') }, format: 'iife' });
  const workerName = basename((worker.outputFiles[0] as OutputFile).path);
  const page = await build({
    ...options,
    entryPoints: { page: join(source, 'main.tsx'), icon: join(source, 'icon.svg') },
    chunkNames: '[name]-[hash]',
    assetNames: '[name]-[hash]',
    splitting: true,
    format: 'esm',
    loader: { '.svg': 'copy' },
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: { workerUrl: JSON.stringify(`assets/${workerName}`) },
  });
  const files = [...page.outputFiles, ...worker.outputFiles];
  const names = files.map(({ path }) => basename(path));
  const named = (pattern: RegExp): string => {
    const found = names.find((name) => pattern.test(name));
    if (found === undefined) throw new Error(`nothing like ${pattern} was built`);
    return found;
  };
  const html = readFileSync(join(source, 'index.html'), 'utf8')
    .replace('%icon%', named(/^icon-.*\.svg$/))
    .replace('%style%', named(/^page-.*\.css$/))
    .replace('%script%', named(/^page-.*\.js$/));
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  for (const { path, contents } of files) writeFileSync(join(target, basename(path)), contents);
  writeFileSync(join(target, 'licences.txt'), bundled.map(licenceOf).join('\n\n'));
  // Last: whoever finds it finds all the rest.
  writeFileSync(join(target, 'index.html'), html);
  return true;
}

function isFresh(): boolean {
  const built = statSync(join(target, 'index.html'), { throwIfNoEntry: false });
  return built !== undefined && newest(join(root, 'src')) < built.mtimeMs;
}

const newest = (folder: string): number =>
  Math.max(
    ...readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => statSync(join(entry.parentPath, entry.name)).mtimeMs),
  );

/** MIT asks for its text to go along. */
function licenceOf(name: string): string {
  const folder = folderOf(name, root);
  const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version: string };
  const file = readdirSync(folder).find((each) => /^licen[cs]e/i.test(each));
  return `${name} ${version}\n\n${file === undefined ? '' : readFileSync(join(folder, file), 'utf8').trim()}`;
}

function folderOf(name: string, from: string): string {
  const folder = join(from, 'node_modules', name);
  if (existsSync(join(folder, 'package.json'))) return folder;
  if (from === dirname(from)) throw new Error(`${name} is not installed`);
  return folderOf(name, dirname(from));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildPage();
