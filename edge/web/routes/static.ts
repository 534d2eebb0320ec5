import type { FastifyInstance } from 'fastify';
import { ENCODINGS, type Encoding, type PageFile } from '../files.js';

const YEAR_S = 365 * 86_400;

/** The page's files, from memory: each is a route of its own, so no path of a request reaches the file system. */
export function staticRoutes(app: FastifyInstance, { files }: { files: ReadonlyMap<string, PageFile> }): void {
  for (const [path, { type, tag, body, packed, fixed }] of files) {
    // a page asks who it is; its style and scripts hold nothing
    const role = type.startsWith('text/html') ? 'viewer' : 'public';
    const keep = fixed ? `public, max-age=${YEAR_S}, immutable` : 'no-cache';
    app.get(path, { config: { role }, schema: { hide: true } }, async (request, reply) => {
      reply.headers({ 'cache-control': keep, etag: tag, vary: 'accept-encoding' }).type(type);
      if (request.headers['if-none-match'] === tag) return reply.code(304).send();
      const encoding = ENCODINGS.find((name) => takes(request.headers['accept-encoding'], name));
      const small = encoding && (await packed(encoding));
      return small ? reply.header('content-encoding', encoding).send(small) : reply.send(body);
    });
  }
}

/** Whether a browser takes an encoding: `gzip, br;q=0.9`, and not `br;q=0`. */
function takes(accepted: string | string[] | undefined, encoding: Encoding): boolean {
  return String(accepted ?? '')
    .split(',')
    .map((one) => one.trim().split(/\s*;\s*q=/))
    .some(([name, q]) => name === encoding && Number(q ?? 1) > 0);
}
