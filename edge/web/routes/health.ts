import type { FastifyInstance } from 'fastify';

/**
 * For service managers and load balancers: whether the server answers (restart it if not), and whether frames reach this
 * edge (until then no other one should give its place up for it).
 *
 * @param unready why frames do not reach this edge; undefined: they do
 */
export function healthRoutes(app: FastifyInstance, unready: () => string | undefined): void {
  const options = { config: { role: 'public' }, schema: { hide: true } } as const;
  app.get('/healthz', options, (_request, reply) => reply.type(TEXT).send('ok\n'));
  app.get('/readyz', options, (_request, reply) => {
    const why = unready();
    return reply
      .status(why === undefined ? 200 : 503)
      .type(TEXT)
      .send(`${why ?? 'ready'}\n`);
  });
}

const TEXT = 'text/plain; charset=utf-8';
