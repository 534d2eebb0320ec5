import type {} from '@fastify/cookie';
import type { FastifyReply, FastifyRequest } from 'fastify';

/** With `__Host-` a browser takes it by https alone, for this host alone: no neighbour of its domain can set another. */
const nameFor = ({ protocol }: FastifyRequest): string => (protocol === 'https' ? '__Host-deepcod' : 'deepcod');

const rules = (request: FastifyRequest) =>
  ({ path: '/', httpOnly: true, sameSite: 'strict', secure: request.protocol === 'https' }) as const;

export function cookieOf(request: FastifyRequest): string | undefined {
  return request.cookies[nameFor(request)];
}

export function giveCookie(request: FastifyRequest, reply: FastifyReply, id: string, lastsMs: number): void {
  void reply.setCookie(nameFor(request), id, { ...rules(request), maxAge: Math.floor(lastsMs / 1000) });
}

export function forgetCookie(request: FastifyRequest, reply: FastifyReply): void {
  void reply.clearCookie(nameFor(request), rules(request));
}
