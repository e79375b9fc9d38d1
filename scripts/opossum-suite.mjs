// Runs opossum's own tests on recloser/opossum: npm run opossum-suite -- <checkout of nodeshift/opossum, with its dependencies>
// Its files stay where they are. Beside a copy of its test/ stand four shims in place of what the tests import.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const [checkout = '.'] = process.argv.slice(2).map((path) => resolve(path));
const tape = join(checkout, 'node_modules/tape/bin/tape');
if (!existsSync(join(checkout, 'test')) || !existsSync(tape)) {
  console.error(`${checkout} is no checkout of opossum with its dependencies (test/, node_modules/tape)`);
  process.exit(2);
}

const folder = mkdtempSync(join(tmpdir(), 'opossum-suite-'));
const ours = JSON.stringify(
  fileURLToPath(new URL('../packages/recloser/dist/compat/opossum/index.cjs', import.meta.url)),
);
const shims = {
  'index.js': '',
  'lib/cache.js': '.MemoryCache',
  'lib/semaphore.js': '.Semaphore',
  'lib/status.js': '.Status',
};
mkdirSync(join(folder, 'lib'));
for (const [file, part] of Object.entries(shims)) {
  writeFileSync(join(folder, file), `module.exports = require(${ours})${part};\n`);
}
writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
cpSync(join(checkout, 'test'), join(folder, 'test'), { recursive: true });
symlinkSync(join(checkout, 'node_modules'), join(folder, 'node_modules'));
const { status } = spawnSync(process.execPath, [tape, 'test/*.js'], { cwd: folder, stdio: 'inherit' });
rmSync(folder, { recursive: true });
process.exitCode = status ?? 1;
