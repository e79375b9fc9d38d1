// Prints "passed failed" of a vitest JSON report, and appends what failed, with its first words, to a file. A suite that was
// skipped as a whole proves nothing, so it fails.
import { appendFileSync, readFileSync } from 'node:fs';

const [report, failures] = process.argv.slice(2);
const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'));
const skipped = testResults.filter(
  ({ assertionResults }) => assertionResults.length > 0 && assertionResults.every(({ status }) => status === 'skipped'),
);
const words = [
  ...skipped.map(({ name }) => `${name}: skipped as a whole`),
  ...testResults.flatMap(({ name, message, assertionResults }) => [
    ...(assertionResults.length === 0 && message ? [`${name}: ${message}`] : []),
    ...assertionResults
      .filter(({ status }) => status === 'failed')
      .map(({ fullName, failureMessages }) => `${name}: ${fullName}\n${failureMessages.join('\n').slice(0, 3_000)}`),
  ]),
];
appendFileSync(failures, words.map((text) => `${text}\n\n`).join(''));
console.log(`${numPassedTests} ${numFailedTests + skipped.length}`);
