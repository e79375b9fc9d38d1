import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BadFileError } from './bad-file.ts';
import { parseRecording } from './parse.ts';
import type { Recording } from './recording.ts';

/** What plays without `--trace`; the name is relative to the project. */
export const defaultTrace = 'data/onlineboutique-currency-network-delay.csv';

/** @throws BadFileError */
export function readRecording(trace: string | undefined): Recording {
  const path =
    trace === undefined ? fileURLToPath(new URL(`../../../${defaultTrace}`, import.meta.url)) : placeOf(trace);
  try {
    return parseRecording(readFileSync(path, 'utf8'));
  } catch (error) {
    const what = error instanceof BadFileError ? error.message : `can't be read (${(error as Error).message})`;
    throw new BadFileError(`${trace ?? defaultTrace}: ${what}`, { cause: error });
  }
}

/** npm runs scripts in the project's root; what people type is relative to where they are, which npm leaves in INIT_CWD. */
function placeOf(trace: string): string {
  const typed = resolve(process.env.INIT_CWD ?? '.', trace);
  return existsSync(typed) ? typed : resolve(trace);
}
