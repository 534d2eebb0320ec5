import type { RouteShorthandOptions } from 'fastify';
import type { Role } from '../roles.js';
import { type Json, plain, ref } from '../schemas/build.js';

/** How a route of the API is described: what /docs/openapi.json says of it, and what its requests and answers are held to. */
export interface Described {
  /** Name of the operation: the client's method. */
  id: string;
  summary: string;
  tag: string;
  role?: Role;
  params?: Json;
  query?: Json;
  body?: Json;
  /** Of the answer's body; absent: no body. */
  answer?: Json;
  /** Default: 200, or 204 without an answer. */
  status?: number;
  /** The answer's content type, where it is not JSON. */
  type?: string;
}

/** Options of a route from its description. */
export function route(described: Described): RouteShorthandOptions {
  const { id, summary, tag, role = 'viewer', params, query, body, answer, type } = described;
  const { status = answer || type ? 200 : 204 } = described;
  const description = summary;
  const content = type ? { content: { [type]: { schema: answer ?? { type: 'string' } } } } : answer;
  const ok = content ? { description, ...content } : { type: 'null', description };
  const problem = {
    description: 'a problem (RFC 9457)',
    content: { 'application/problem+json': { schema: ref('Problem') } },
  };
  const schema = plain({
    operationId: id,
    summary,
    tags: [tag],
    ...(params && { params }),
    ...(query && { querystring: query }),
    ...(body && { body }),
    response: { [status]: ok, '4xx': problem, '5xx': problem },
  });
  return { config: { role }, schema };
}
