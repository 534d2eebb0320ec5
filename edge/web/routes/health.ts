import type { FastifyInstance } from 'fastify';

/** Whether the server answers: for service managers and load balancers. */
export function healthRoutes(app: FastifyInstance): void {
  app.get('/healthz', { config: { role: 'public' }, schema: { hide: true } }, (_request, reply) =>
    reply.type('text/plain; charset=utf-8').send('ok\n'),
  );
}
