import type { FastifyInstance } from 'fastify';
import type { LiveStore } from '../../store/live.js';
import { HttpError } from '../problem.js';
import { cameraName, object } from '../schemas/build.js';
import type { Seats } from '../seats.js';
import type { Stream } from '../stream.js';
import { shownView, stateView } from '../view.js';
import { route } from './route.js';
import { openStream } from './sse.js';

const tag = 'live';
const params = object({ device: cameraName });

/** What the live page reads: everything at once, what changes, one device's newest boxes and picture. */
export function liveRoutes(
  app: FastifyInstance,
  { store, stream, seats }: { store: LiveStore; stream: Stream; seats: Seats },
): void {
  app.get(
    '/api/state',
    route({
      id: 'liveState',
      summary: 'All that the live page knows, at once; grows with the page, programs use /api/v1/cameras',
      tag,
      answer: { type: 'object', additionalProperties: true },
    }),
    (_request, reply) => reply.type('application/json').send(JSON.stringify(stateView(store, Date.now()))),
  );

  const events = route({
    id: 'liveEvents',
    summary: 'The live page’s own server-sent events; programs use /api/v1/stream',
    tag,
    type: 'text/event-stream',
  });
  app.head('/api/events', { config: { role: 'viewer' }, schema: { hide: true } }, (_request, reply) => reply.send());
  app.get('/api/events', { ...events, exposeHeadRoute: false }, (request, reply) =>
    openStream(request, reply, seats, 'too_many_pages', (response, seat) => stream.add(response, seat)),
  );

  type Named = { Params: { device: string } };
  const shownOf = (name: string) => store.device(name)?.shown(Date.now());
  const nothing = () => new HttpError(404, 'no_picture', 'No picture of this device.');

  app.get<Named>(
    '/api/devices/:device/picture',
    route({ id: 'livePicture', summary: 'The newest picture of a device', tag, params, type: 'image/jpeg' }),
    ({ params }, reply) => {
      const snapshot = shownOf(params.device)?.snapshot;
      if (!snapshot) throw nothing();
      return reply.type(snapshot.type).send(Buffer.from(snapshot.data));
    },
  );

  /**
   * Boxes and picture of the same frame in one answer, so that they fit together: u32 little endian length of the JSON,
   * the JSON (see shownView), then the picture's bytes, if there is one.
   */
  app.get<Named>(
    '/api/devices/:device/shown',
    route({
      id: 'liveShown',
      summary: 'Boxes and picture of one frame: u32 little endian length of a JSON text, the text, the picture',
      tag,
      params,
      type: 'application/octet-stream',
    }),
    ({ params, headers }, reply) => {
      store.look();
      const shown = shownOf(params.device);
      if (!shown) throw nothing();
      const { session, frame, answered, snapshot } = shown;
      const tag = `"${session}-${frame}-${Number(answered)}-${snapshot?.frame ?? ''}"`;
      reply.header('etag', tag);
      if (headers['if-none-match'] === tag) return reply.code(304).send();
      const json = Buffer.from(JSON.stringify(shownView(shown)));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(json.length);
      const picture = shown.snapshot?.data ?? new Uint8Array(0);
      return reply.type('application/octet-stream').send(Buffer.concat([length, json, picture]));
    },
  );
}
