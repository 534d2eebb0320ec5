import type { FastifyInstance } from 'fastify';
import type { PageFile } from '../files.js';

/** The page's files, from memory: each is a route of its own, so no path of a request reaches the file system. */
export function staticRoutes(app: FastifyInstance, { files }: { files: ReadonlyMap<string, PageFile> }): void {
  for (const [path, { type, tag, body }] of files) {
    // a page asks who it is; its style and scripts hold nothing
    const role = type.startsWith('text/html') ? 'viewer' : 'public';
    app.get(path, { config: { role }, schema: { hide: true } }, (request, reply) => {
      reply.headers({ 'cache-control': 'no-cache', etag: tag }).type(type);
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      return reply.send(body);
    });
  }
}
