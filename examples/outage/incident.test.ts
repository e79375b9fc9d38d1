import { mkdtempSync, readdirSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Incident } from '@recloser/dashboard';
import { expect, test } from 'vitest';
import { keepIncident } from './incident.ts';

test('an incident that can’t be kept is said, and costs nothing else', () => {
  expect(keepIncident({} as Incident, '/dev/null/outage')).toMatch(/^the incident is not kept \(E\w+: /);
});

test('runs at the same time keep one each, and a run takes the place of those that ended before it began', () => {
  const folder = mkdtempSync(join(tmpdir(), 'outage-'));
  const begun = performance.timeOrigin / 1_000;
  const put = (name: string, endedS: number): void => {
    writeFileSync(join(folder, name), '{}');
    utimesSync(join(folder, name), endedS, endedS);
  };
  put('incident-1.json', begun - 5);
  put('incident-2.json', begun + 5);
  put('saved-by-me.json', begun - 5);
  expect(keepIncident({} as Incident, folder)).toContain(
    `npm start -- --open .cache/outage/incident-${process.pid}.json`,
  );
  expect(readdirSync(folder).sort()).toEqual(
    ['incident-2.json', `incident-${process.pid}.json`, 'saved-by-me.json'].sort(),
  );
});
