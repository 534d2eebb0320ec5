import type { FastifyReply, FastifyRequest } from 'fastify';
import { HttpError } from '../problem.js';
import type { Seat, Seats } from '../seats.js';
import { userOf } from './context.js';

/**
 * Opens a stream of server-sent events, where there is a place for it.
 * @param begin is given the answer, whose head is written, and the place, which is left when it ends
 * @throws HttpError 503 with `code`
 */
export function openStream(
  request: FastifyRequest,
  reply: FastifyReply,
  seats: Seats,
  code: string,
  begin: (response: FastifyReply['raw'], seat: Seat) => void,
): void {
  const response = reply.raw;
  const seat = seats.take(userOf(request), (farewell) => response.end(farewell));
  if (!seat) {
    reply.header('retry-after', '10');
    throw new HttpError(503, code, 'Too many streams are open; close one.');
  }
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders())) response.setHeader(name, value as string);
  response.writeHead(200, { 'content-type': 'text/event-stream; charset=utf-8', 'x-accel-buffering': 'no' });
  response.once('close', () => seat.leave());
  response.on('error', () => response.destroy());
  begin(response, seat);
}
