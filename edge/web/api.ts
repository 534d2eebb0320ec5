import swagger from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';
import { NewsStream } from './news.js';
import { alertRoutes } from './routes/alerts.js';
import { cameraRoutes } from './routes/cameras.js';
import { commandRoutes } from './routes/commands.js';
import type { ApiContext } from './routes/context.js';
import { eventRoutes } from './routes/events.js';
import { placeRoutes } from './routes/places.js';
import { ruleRoutes } from './routes/rules.js';
import { settingsRoutes } from './routes/settings.js';
import { streamRoutes } from './routes/stream.js';
import { apiSchemas } from './schemas/index.js';
import type { Seats } from './seats.js';

/** Raised by what breaks a client: then the path says v2, and v1 stays for a while. */
const VERSION = '1.0.0';

/** Notes every route from now on for the OpenAPI document. Before all routes. */
export async function describeApi(app: FastifyInstance): Promise<void> {
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'DeepCOD edge',
        version: VERSION,
        description: 'Cameras, history, zones, rules and alerts of one edge. docs/api.md explains.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
      },
      servers: [{ url: '/' }],
    },
    refResolver: { buildLocalReference: (json, _base, _fragment, i) => (json.$id as string | undefined) ?? `def-${i}` },
  });
  for (const schema of apiSchemas) app.addSchema(schema);
}

/** The API under /api/v1. @returns ends the streams */
export async function registerApi(app: FastifyInstance, context: ApiContext, seats: Seats): Promise<() => void> {
  const news = new NewsStream(context);
  await app.register(
    async (api) => {
      cameraRoutes(api, context);
      eventRoutes(api, context);
      placeRoutes(api, context);
      ruleRoutes(api, context);
      alertRoutes(api, context);
      commandRoutes(api, context);
      settingsRoutes(api, context);
      streamRoutes(api, { news, seats });
      api.get('/openapi.json', { config: { role: 'viewer' }, schema: { hide: true } }, () => app.swagger());
    },
    { prefix: '/api/v1' },
  );
  return () => news.close();
}
