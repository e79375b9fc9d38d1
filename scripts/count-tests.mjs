// Prints "passed failed" of a vitest JSON report. A suite that was skipped as a whole proves nothing, so it fails.
import { readFileSync } from 'node:fs';

const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(process.argv[2], 'utf8'));
const skipped = testResults.filter(
  ({ assertionResults }) => assertionResults.length > 0 && assertionResults.every(({ status }) => status === 'skipped'),
);
for (const { name } of skipped) console.error(`skipped as a whole: ${name}`);
console.log(`${numPassedTests} ${numFailedTests + skipped.length}`);
