/** `npm run schemas`: writes the JSON Schemas that the code holds into docs/schemas/, for editors and other programs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { agentSchema } from '../agent/config/schema.js';
import { edgeConfigSchema } from '../edge/config.js';
import { packageRoot } from '../platform/root.js';
import { healthSchema, manifestSchema, resultSchema, statusSchema } from '../protocol/index.js';

const schemas: Record<string, object> = {
  agent: agentSchema,
  edge: edgeConfigSchema,
  health: healthSchema,
  manifest: manifestSchema,
  result: resultSchema,
  status: statusSchema,
};

const folder = join(packageRoot(), 'docs', 'schemas');
mkdirSync(folder, { recursive: true });
for (const [name, schema] of Object.entries(schemas)) {
  writeFileSync(join(folder, `${name}.schema.json`), `${JSON.stringify(schema, null, 2)}\n`);
}
process.stdout.write(`${Object.keys(schemas).length} schemas written to ${folder}\n`);
