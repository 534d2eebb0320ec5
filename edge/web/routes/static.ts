import type { FastifyInstance } from 'fastify';
import type { PageFile } from '../files.js';

/** The page's files, from memory: each is a route of its own, so no path of a request reaches the file system. */
export function staticRoutes(app: FastifyInstance, { files }: { files: ReadonlyMap<string, PageFile> }): void {
  for (const [path, { type, tag, body }] of files) {
    app.get(path, { config: { role: 'public' }, schema: { hide: true } }, (request, reply) => {
      reply.headers({ 'cache-control': 'no-cache', etag: tag }).type(type);
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      return reply.send(body);
    });
  }
}
