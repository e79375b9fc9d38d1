import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Dashboard, dashboard, type Incident } from '@recloser/dashboard';
import { BadFileError } from './recording/bad-file.ts';

const name = '.cache/outage/incident.json';
const place = fileURLToPath(new URL(`../../${name}`, import.meta.url));

/** Keeps what the page has recorded; where it can't, the run is no worse for it. @returns how to look at it again, or why not */
export function keepIncident(incident: Incident, file: string = place): string {
  try {
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, JSON.stringify(incident));
  } catch (error) {
    return `the incident is not kept (${(error as Error).message})`;
  }
  return `the incident is recorded; to look at it again: npm start -- --open ${name}`;
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
