import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Dashboard, dashboard, type Incident } from '@recloser/dashboard';
import { BadFileError } from './recording/bad-file.ts';

const shownFolder = '.cache/outage';
const ownFolder = fileURLToPath(new URL(`../../${shownFolder}`, import.meta.url));

/**
 * Keeps what the page has recorded, in place of what was kept before this run began; another run at the same time has its own. If it
 * can't, the run is no worse for it. @returns how to look at it again, or why not
 */
export function keepIncident(incident: Incident, folder: string = ownFolder): string {
  const name = `incident-${process.pid}.json`;
  try {
    mkdirSync(folder, { recursive: true });
    for (const old of readdirSync(folder)) if (isOfBefore(old, folder)) rmSync(join(folder, old), { force: true });
    writeFileSync(join(folder, name), JSON.stringify(incident));
  } catch (error) {
    return `the incident is not kept (${(error as Error).message})`;
  }
  return `the incident is recorded; to look at it again: npm start -- --open ${shownFolder}/${name}`;
}

function isOfBefore(name: string, folder: string): boolean {
  if (!/^incident(-\d+)?\.json$/.test(name)) return false;
  const { mtimeMs = Infinity } = statSync(join(folder, name), { throwIfNoEntry: false }) ?? {};
  return mtimeMs < performance.timeOrigin;
}

/** The page of a recorded incident. @throws BadFileError */
export function openIncident(file: string): Dashboard {
  const typed = resolve(process.env.INIT_CWD ?? '.', file);
  try {
    return dashboard({ incident: JSON.parse(readFileSync(typed, 'utf8')) as Incident });
  } catch (error) {
    throw new BadFileError(`${file}: can't be opened (${(error as Error).message})`, { cause: error });
  }
}
