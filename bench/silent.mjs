// The library as it would be without channels: the same build, file for file, but that nobody subscribes stands there as a constant. What
// it saves is what a channel costs those who do not use it. (Made anew, its code would lie in other files: that alone is worth 2 %.)
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const read = /\b(?:this\.)?\w+(?:\[\w+\])?\.hasSubscribers\b/g;

/** @param build the `index.js` of a build of the library */
export function makeSilent(build) {
  const folder = mkdtempSync(join(tmpdir(), 'recloser-silent-'));
  process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
  cpSync(dirname(fileURLToPath(build)), folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
  let replaced = 0;
  for (const file of readdirSync(folder, { recursive: true })) {
    if (!file.endsWith('.js')) continue;
    const silent = readFileSync(join(folder, file), 'utf8').replace(read, () => {
      replaced++;
      return 'false';
    });
    writeFileSync(join(folder, file), silent);
  }
  if (replaced < 5) throw new Error(`only ${replaced} reads of hasSubscribers were found`);
  return pathToFileURL(join(folder, 'index.js')).href;
}
