import type { FastifyInstance } from 'fastify';
import type { NewsStream } from '../news.js';
import type { Seats } from '../seats.js';
import { route } from './route.js';
import { openStream } from './sse.js';

/** What changes, as it changes. */
export function streamRoutes(app: FastifyInstance, { news, seats }: { news: NewsStream; seats: Seats }): void {
  const options = route({
    id: 'stream',
    summary: 'Server-sent events: `cameras`, `event`, `alert`, `settings`, `end`; docs/api.md says what each holds',
    tag: 'stream',
    type: 'text/event-stream',
  });
  app.get('/stream', { ...options, exposeHeadRoute: false }, (request, reply) =>
    openStream(request, reply, seats, 'too_many_streams', (response, seat) => news.add(response, seat)),
  );
}
