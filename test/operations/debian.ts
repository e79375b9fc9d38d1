import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where `.ci/run` unpacks Debian's package of Prometheus. */
const unpacked = '.cache/prometheus/usr/bin';

/** Where a program of Debian's package `prometheus` is; nowhere if it is not installed. */
export function program(name: 'promtool' | 'prometheus'): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), unpacked];
  const found = folders.map((folder) => join(folder, name)).find(isExecutable);
  if (found === undefined) console.warn(`no ${name} on the PATH or in ${unpacked}: its tests are skipped`);
  return found;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
