import type {} from '@fastify/swagger';
import type { FastifyInstance } from 'fastify';

/** Who may use a route: anybody, who is logged in, who may also change things and command devices. */
export type Role = 'public' | 'viewer' | 'operator';

declare module 'fastify' {
  interface FastifyContextConfig {
    role?: Role;
  }
}

/** A route that does not say who may use it is a mistake of ours, found at the start. */
export function requireRoles(app: FastifyInstance): void {
  app.addHook('onRoute', ({ config, method, url }) => {
    if (config?.role === undefined) throw new Error(`${method} ${url} does not say who may use it (config.role)`);
  });
}
