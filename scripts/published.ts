import { agentSchema } from '../agent/config/schema.js';
import { edgeConfigSchema } from '../edge/config.js';
import { decisionsSchema, healthSchema, manifestSchema, resultSchema, statusSchema } from '../protocol/index.js';

const schemas: Record<string, object> = {
  agent: agentSchema,
  decisions: decisionsSchema,
  edge: edgeConfigSchema,
  health: healthSchema,
  manifest: manifestSchema,
  result: resultSchema,
  status: statusSchema,
};

/** The JSON Schemas that the code holds, as they are published in docs/schemas/: file name and text. */
export function publishedSchemas(): Map<string, string> {
  return new Map(
    Object.entries(schemas).map(([name, schema]) => [`${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`]),
  );
}
