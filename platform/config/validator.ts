import { Ajv2020 } from 'ajv/dist/2020.js';
import { type Complaint, explain } from './explain.js';
import type { ConfigSchema } from './schema.js';

/** Fills in the schema's defaults (in place) and returns everything that is wrong. */
export function validate(schema: ConfigSchema, value: unknown): Complaint[] {
  const ajv = new Ajv2020({
    allErrors: true,
    verbose: true,
    useDefaults: true,
    allowUnionTypes: true,
    formats: { path: true },
  });
  const check = ajv.compile(schema);
  return check(value) ? [] : explain(check.errors ?? []);
}
