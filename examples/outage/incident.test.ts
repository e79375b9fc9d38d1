import type { Incident } from '@recloser/dashboard';
import { expect, test } from 'vitest';
import { keepIncident } from './incident.ts';

test('an incident that can’t be kept is said, and costs nothing else', () => {
  expect(keepIncident({} as Incident, '/dev/null/incident.json')).toMatch(/^the incident is not kept \(E\w+: /);
});
