import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { DeepcodError } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';

/** RFC 9457. `code` is stable, for programs; `detail` is for people. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  code: string;
  detail: string;
  /** What to do about it. */
  hint?: string;
}

/** An error that is answered as it is. */
export class HttpError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint?: string,
  ) {
    super(message);
  }
}

const TITLES: Readonly<Record<number, string>> = {
  400: 'Bad request',
  401: 'Login needed',
  403: 'Not allowed',
  404: 'Not found',
  405: 'Method not allowed',
  409: 'Conflict',
  413: 'Too large',
  415: 'Unsupported media type',
  421: 'Misdirected request',
  422: 'Not valid',
  429: 'Too many requests',
  503: 'Not available',
};

/** Answers a request with a problem document; outside the API with one line of text, for people. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, error: HttpError): FastifyReply {
  const { status, code, message, hint } = error;
  reply.code(status);
  if (!request.url.startsWith('/api/v1')) return reply.type('text/plain; charset=utf-8').send(`${message}\n`);
  const title = TITLES[status] ?? (status < 500 ? 'Request failed' : 'The edge failed');
  const problem: Problem = { type: 'about:blank', title, status, code, detail: message, hint };
  return reply.type('application/problem+json').serializer(JSON.stringify).send(problem);
}

/** Every error of a handler becomes a problem; what is our own fault is logged, and not told. */
export function answerErrors(app: FastifyInstance, log: Log | undefined): void {
  app.setErrorHandler((error: FastifyError | Error, request, reply) => sendProblem(request, reply, known(error, log)));
}

function known(error: FastifyError | Error, log: Log | undefined): HttpError {
  if (error instanceof HttpError) return error;
  if (error instanceof DeepcodError) return new HttpError(422, error.code, error.message, error.hint);
  const { statusCode: status = 500, validation, validationContext, message } = error as FastifyError;
  // a name that cannot be is the name of nothing
  if (validationContext === 'params') return new HttpError(404, 'not_found', 'There is nothing here.');
  if (validation) return new HttpError(400, 'invalid', message);
  if (status >= 500) {
    log?.error('a request failed', { error });
    return new HttpError(status, 'internal', 'The edge failed to answer; its log says why.');
  }
  return new HttpError(status, status === 413 ? 'too_large' : 'bad_request', message);
}
