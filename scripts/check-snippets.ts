// Compiles every `ts` block of the documents. A block's missing names are declared in a comment right above it: <!-- with: declare const url: string -->
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const folder = '.cache/snippets';
rmSync(folder, { recursive: true, force: true });
mkdirSync(folder, { recursive: true });

const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard', '*.md'], {
  encoding: 'utf8',
});
const block = /(?:<!-- with: (?<declared>[\s\S]*?) -->\n+)?^```ts\n(?<code>[\s\S]*?)^```$/gm;
let count = 0;
for (const path of listed.split('\n').filter((path) => path && existsSync(path))) {
  const text = readFileSync(path, 'utf8');
  for (const match of text.matchAll(block)) {
    const { declared = '', code = '' } = match.groups ?? {};
    const line = text.slice(0, match.index).split('\n').length;
    // The file is named after the place in the document, so that the compiler's message leads there.
    writeFileSync(`${folder}/${path.replaceAll('/', '__')}-${line}.ts`, `${declared};\n${code}\nexport {};\n`);
    count += 1;
  }
}

const options = {
  extends: '../../tsconfig.json',
  compilerOptions: { noUnusedLocals: false },
  include: ['*.ts'],
  exclude: [],
};
writeFileSync(`${folder}/tsconfig.json`, JSON.stringify(options));
const { status, stdout } = spawnSync('npx', ['tsc', '-p', folder], { encoding: 'utf8' });
console.log(stdout || `${count} snippets compile`);
process.exitCode = status ?? 1;
