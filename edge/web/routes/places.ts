import type { FastifyInstance } from 'fastify';
import type { PlaceSettings } from '../../rules/types.js';
import { cameraName, id, list, object, ref } from '../schemas/build.js';
import { type ApiContext, found, siteOf } from './context.js';
import { route } from './route.js';

const tag = 'zones';
const params = object({ id });
type One = { Params: { id: string } };

/** Zones and masks of the cameras. */
export function placeRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get<{ Querystring: { camera?: string } }>(
    '/zones',
    route({
      id: 'listZones',
      summary: 'Zones and masks, of one camera or of all',
      tag,
      query: object({ camera: cameraName }, ['camera']),
      answer: object({ zones: list(ref('Place')) }),
    }),
    ({ query: { camera } }) => {
      const all = siteOf(context).places();
      return { zones: camera === undefined ? all : all.filter((place) => place.camera === camera) };
    },
  );
  app.post<{ Body: Omit<PlaceSettings, 'anchor'> & Partial<PlaceSettings> }>(
    '/zones',
    route({
      id: 'createZone',
      summary: 'Adds a zone or mask',
      tag,
      role: 'operator',
      body: ref('PlaceDraft'),
      answer: ref('Place'),
      status: 201,
    }),
    async ({ body }, reply) => reply.code(201).send(await siteOf(context).savePlace({ anchor: 'foot', ...body })),
  );
  app.put<One & { Body: Omit<PlaceSettings, 'anchor'> & Partial<PlaceSettings> }>(
    '/zones/:id',
    route({
      id: 'replaceZone',
      summary: 'Changes a zone or mask',
      tag,
      role: 'operator',
      params,
      body: ref('PlaceDraft'),
      answer: ref('Place'),
    }),
    async ({ params, body }) => {
      found(siteOf(context).place(params.id), 'zone');
      return siteOf(context).savePlace({ anchor: 'foot', ...body }, params.id);
    },
  );
  app.delete<One>(
    '/zones/:id',
    route({ id: 'deleteZone', summary: 'Removes a zone or mask', tag, role: 'operator', params }),
    async ({ params }, reply) => {
      found(siteOf(context).place(params.id), 'zone');
      await siteOf(context).deletePlace(params.id);
      return reply.code(204).send();
    },
  );
}
