import { agentSchema } from '../agent/config/schema.js';
import { edgeConfigSchema } from '../edge/config.js';
import { LiveStore } from '../edge/store/live.js';
import { buildServer } from '../edge/web/server.js';
import {
  decisionsSchema,
  healthSchema,
  manifestSchema,
  partitionCommandSchema,
  releaseSchema,
  resultSchema,
  statusSchema,
  updateStatusSchema,
} from '../protocol/index.js';
import { clientTypes, type OpenApi } from './client-types.js';
import { doctorSchema } from './commands/doctor/report.js';

const schemas: Record<string, object> = {
  agent: agentSchema,
  command: partitionCommandSchema,
  decisions: decisionsSchema,
  doctor: doctorSchema,
  edge: edgeConfigSchema,
  health: healthSchema,
  manifest: manifestSchema,
  release: releaseSchema,
  result: resultSchema,
  status: statusSchema,
  'update-status': updateStatusSchema,
};

/** The JSON Schemas that the code holds, as they are published in docs/schemas/: file name and text. */
export function publishedSchemas(): Map<string, string> {
  return new Map(
    Object.entries(schemas).map(([name, schema]) => [`${name}.schema.json`, `${JSON.stringify(schema, null, 2)}\n`]),
  );
}

/** The client's types, as they lie in client/types.ts. @param api the OpenAPI document */
export function publishedClient(api: string): string {
  return clientTypes(JSON.parse(api) as OpenApi);
}

/** The OpenAPI document of the edge's API, as it is published in docs/openapi.json. */
export async function publishedApi(): Promise<string> {
  const { app, endStreams } = await buildServer({ store: new LiveStore() });
  await app.ready();
  const text = `${JSON.stringify(app.swagger(), null, 2)}\n`;
  endStreams();
  await app.close();
  return text;
}
