import { Ajv } from 'ajv';
import { createGenerator } from 'ts-json-schema-generator';
import type { GrafanaDashboard } from './grafana-types.ts';

/** Grafana's schema of a dashboard, from the types of its SDK: whatever these don't name is a fault. */
const schema = createGenerator({
  path: 'test/operations/grafana-types.ts',
  tsconfig: 'tsconfig.json',
  type: 'GrafanaDashboard',
  expose: 'none',
  functions: 'hide',
  skipTypeCheck: true,
  additionalProperties: false,
}).createSchema('GrafanaDashboard');

const validate = new Ajv({ allErrors: true, strict: false }).compile<GrafanaDashboard>(schema as object);

/** What is wrong with a dashboard. */
export function faultsOf(dashboard: unknown): string[] {
  validate(dashboard);
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) => `${instancePath} ${message} ${JSON.stringify(params)}`,
  );
}
