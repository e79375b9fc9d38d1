import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Where `.ci/run` unpacks Debian's package of Prometheus. */
const unpacked = '.cache/prometheus/usr/bin';

function find(program: string): string | undefined {
  const folders = [...(process.env.PATH ?? '').split(delimiter), unpacked];
  const found = folders
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
  if (found === undefined) console.warn(`no ${program} on the PATH or in ${unpacked}: tests with it are skipped`);
  return found;
}

/** Of Debian's package `prometheus`; none where it is not installed. */
export const promtool: string | undefined = find('promtool');
