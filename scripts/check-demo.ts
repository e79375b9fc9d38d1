// Whether `npm start -- --json` printed one sound document: the figures add up, and the breakers had something to do.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Report } from '../examples/outage/report.ts';

const [path = ''] = process.argv.slice(2);
const report = JSON.parse(readFileSync(path, 'utf8')) as Report;

assert(report.dependencies.length > 0, 'no dependency');
assert(report.speed > 0 && report.toMs > report.fromMs, 'no span');
for (const { name, calls, ok, failures, refused, opened, bareFailures, transitions, ...times } of report.dependencies) {
  assert.equal(ok + failures + refused, calls, `${name}: calls`);
  assert(bareFailures >= 0 && bareFailures <= calls, `${name}: bareFailures`);
  assert(times.timeSpentMs >= 0 && times.bareTimeSpentMs >= 0, `${name}: times`);
  assert.equal(transitions.filter(({ to }) => to === 'open').length, opened, `${name}: opened`);
  for (const { why } of transitions) assert(why, `${name}: a transition without a reason`);
}
assert(
  report.dependencies.some(({ opened }) => opened > 0),
  'no breaker opened',
);
console.log(
  `${report.dependencies.length} dependencies, ${report.dependencies.reduce((sum, { calls }) => sum + calls, 0)} calls`,
);
