import type { FastifyInstance } from 'fastify';
import type { NewsStream } from '../news.js';
import { HttpError } from '../problem.js';
import { route } from './route.js';

/** What changes, as it changes. */
export function streamRoutes(app: FastifyInstance, { news }: { news: NewsStream }): void {
  const options = route({
    id: 'stream',
    summary: 'Server-sent events: `cameras`, `event`, `alert`, `settings`; docs/api.md says what each holds',
    tag: 'stream',
    type: 'text/event-stream',
  });
  app.get('/stream', { ...options, exposeHeadRoute: false }, (_request, reply) => {
    if (news.full) {
      reply.header('retry-after', '10');
      throw new HttpError(503, 'too_many_streams', 'Too many open streams; close one.');
    }
    reply.hijack();
    for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, value as string);
    news.add(reply.raw);
  });
}
