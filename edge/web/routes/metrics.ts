import { createHash, timingSafeEqual } from 'node:crypto';
import type { FastifyInstance } from 'fastify';
import type { Metrics } from '../../../platform/metrics/registry.js';
import { HttpError } from '../problem.js';

/**
 * Figures for Prometheus, in its text format.
 * @param token who shows it may read them, and nobody else; without one, whoever may see the page
 */
export function metricsRoutes(app: FastifyInstance, metrics: Pick<Metrics, 'text'>, token?: string): void {
  const role = token === undefined ? 'viewer' : 'public';
  app.get('/metrics', { config: { role }, schema: { hide: true } }, async ({ headers }, reply) => {
    if (token !== undefined && !same(headers.authorization ?? '', `Bearer ${token}`)) {
      reply.header('www-authenticate', 'Bearer');
      throw new HttpError(401, 'token_needed', 'Show the token of metrics.token_file.');
    }
    const { text, type } = await metrics.text();
    return reply.type(type).send(text);
  });
}

/** Compares without telling by the time how much of it was right. */
function same(shown: string, wanted: string): boolean {
  const digest = (value: string): Buffer => createHash('sha256').update(value).digest();
  return timingSafeEqual(digest(shown), digest(wanted));
}
