import type { FastifyInstance } from 'fastify';
import type { LiveStore } from '../../store/live.js';
import { HttpError } from '../problem.js';
import type { Stream } from '../stream.js';
import { shownView, stateView } from '../view.js';

const device = {
  type: 'object',
  properties: { device: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$' } },
} as const;

/** What the live page reads: everything at once, what changes, one device's newest boxes and picture. */
export function liveRoutes(app: FastifyInstance, { store, stream }: { store: LiveStore; stream: Stream }): void {
  const config = { role: 'viewer' } as const;
  const hidden = { config, schema: { hide: true } };

  app.get('/api/state', hidden, (_request, reply) =>
    reply.type('application/json').send(JSON.stringify(stateView(store, Date.now()))),
  );

  app.head('/api/events', hidden, (_request, reply) => reply.send());
  app.get('/api/events', { ...hidden, exposeHeadRoute: false }, (_request, reply) => {
    if (stream.full) {
      reply.header('retry-after', '10');
      throw new HttpError(503, 'too_many_pages', 'Too many open pages; close one.');
    }
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value as string);
    stream.add(reply.raw);
  });

  type Named = { Params: { device: string } };
  const named = { config, schema: { hide: true, params: device } };
  const shownOf = (name: string) => store.device(name)?.shown(Date.now());
  const nothing = () => new HttpError(404, 'no_picture', 'No picture of this device.');

  app.get<Named>('/api/devices/:device/picture', named, ({ params }, reply) => {
    const snapshot = shownOf(params.device)?.snapshot;
    if (!snapshot) throw nothing();
    return reply.type(snapshot.type).send(Buffer.from(snapshot.data));
  });

  /**
   * Boxes and picture of the same frame in one answer, so that they fit together: u32 little endian length of the JSON,
   * the JSON (see shownView), then the picture's bytes, if there is one.
   */
  app.get<Named>('/api/devices/:device/shown', named, ({ params }, reply) => {
    const shown = shownOf(params.device);
    if (!shown) throw nothing();
    const json = Buffer.from(JSON.stringify(shownView(shown)));
    const length = Buffer.alloc(4);
    length.writeUInt32LE(json.length);
    const picture = shown.snapshot?.data ?? new Uint8Array(0);
    return reply.type('application/octet-stream').send(Buffer.concat([length, json, picture]));
  });
}
