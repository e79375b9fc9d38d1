// Writes the Grafana dashboard of docs/operations: npm run docs:operations
import { writeFileSync } from 'node:fs';
import { dashboardFile, dashboardText } from './operations/dashboard.ts';

writeFileSync(dashboardFile, dashboardText());
console.log(dashboardFile);
