import type { FastifyInstance } from 'fastify';
import type { EventFilter } from '../../store/history/types.js';
import { eventsCsv } from '../csv.js';
import { HttpError } from '../problem.js';
import { cameraName, cursor, id, label, object, placeName, ref, time } from '../schemas/build.js';
import { type ApiContext, found, historyOf } from './context.js';
import { route } from './route.js';

const filter = { camera: cameraName, label, zone: placeName, from: time(), to: time() };
const filterKeys = Object.keys(filter);
const tag = 'events';

/** The history of what was seen. */
export function eventRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get<{ Querystring: EventFilter & { limit: number; cursor?: string } }>(
    '/events',
    route({
      id: 'listEvents',
      summary: 'Events, newest first, by camera, class, zone and time',
      tag,
      query: object({ ...filter, limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 }, cursor }, [
        ...filterKeys,
        'limit',
        'cursor',
      ]),
      answer: ref('EventPage'),
    }),
    async ({ query: { limit, cursor, ...filter } }) => {
      const { rows: events, next } = await historyOf(context).events(filter, { limit, cursor });
      return { events, next };
    },
  );

  app.get<{ Querystring: EventFilter }>(
    '/events.csv',
    route({
      id: 'exportEvents',
      summary: 'The same as a table: CSV by RFC 4180, UTF-8',
      tag,
      query: object(filter, filterKeys),
      type: 'text/csv',
    }),
    ({ query }, reply) => {
      const rows = eventsCsv(historyOf(context), query);
      reply.header('content-disposition', 'attachment; filename="events.csv"');
      return reply.type('text/csv; charset=utf-8; header=present').send(rows);
    },
  );

  type One = { Params: { id: string } };
  const params = object({ id });
  app.get<One>(
    '/events/:id',
    route({ id: 'getEvent', summary: 'One event', tag, params, answer: ref('Event') }),
    async ({ params }) => found(await historyOf(context).event(params.id), 'event'),
  );

  app.get<One>(
    '/events/:id/snapshot',
    route({ id: 'getEventSnapshot', summary: 'The picture of its best moment', tag, params, type: 'image/jpeg' }),
    async ({ params }, reply) => {
      const picture = await historyOf(context).snapshot(params.id);
      if (!picture) throw new HttpError(404, 'no_picture', 'No picture of this event.');
      return reply.type('image/jpeg').send(picture);
    },
  );
}
