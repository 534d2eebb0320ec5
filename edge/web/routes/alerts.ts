import type { FastifyInstance } from 'fastify';
import { type AlertState, alertStates } from '../../rules/types.js';
import { HttpError } from '../problem.js';
import { cameraName, cursor, id, object, ref, text, time, word } from '../schemas/build.js';
import { type ApiContext, found, historyOf, siteOf, userOf } from './context.js';
import { route } from './route.js';

const tag = 'alerts';
const params = object({ id });
const filter = { state: word(alertStates), camera: cameraName, rule: id, from: time(), to: time() };
type One = { Params: { id: string } };
type Filter = { state?: AlertState; camera?: string; rule?: string; from?: number; to?: number };

/** Alerts, and what people do about them. */
export function alertRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get<{ Querystring: Filter & { limit: number; cursor?: string } }>(
    '/alerts',
    route({
      id: 'listAlerts',
      summary: 'Alerts, newest first',
      tag,
      query: object({ ...filter, limit: { type: 'integer', minimum: 1, maximum: 500, default: 50 }, cursor }, [
        ...Object.keys(filter),
        'limit',
        'cursor',
      ]),
      answer: ref('AlertPage'),
    }),
    async ({ query: { limit, cursor, ...filter } }) => {
      const { rows: alerts, next } = await historyOf(context).alerts(filter, { limit, cursor });
      return { alerts, next };
    },
  );
  app.get<One>(
    '/alerts/:id',
    route({ id: 'getAlert', summary: 'One alert', tag, params, answer: ref('Alert') }),
    async ({ params }) => found(await historyOf(context).alert(params.id), 'alert'),
  );
  app.get<One>(
    '/alerts/:id/snapshot',
    route({ id: 'getAlertSnapshot', summary: 'The picture of the event behind it', tag, params, type: 'image/jpeg' }),
    async ({ params }, reply) => {
      const { event } = found(await historyOf(context).alert(params.id), 'alert');
      const picture = event === undefined ? undefined : await historyOf(context).snapshot(event);
      if (!picture) throw new HttpError(404, 'no_picture', 'No picture of this alert.');
      return reply.type('image/jpeg').send(picture);
    },
  );
  const change = (path: string, id: string, summary: string, state: AlertState): void => {
    app.post<One & { Body: { note?: string } | null }>(
      `/alerts/:id/${path}`,
      route({
        id,
        summary,
        tag,
        role: 'operator',
        params,
        body: object({ note: text(1000) }, ['note']),
        answer: ref('Alert'),
      }),
      async (request) => {
        const { params, body } = request;
        found(await historyOf(context).alert(params.id), 'alert');
        return siteOf(context).setAlert(params.id, state, userOf(request), body?.note);
      },
    );
  };
  change('acknowledge', 'acknowledgeAlert', 'Somebody has seen it', 'acknowledged');
  change('close', 'closeAlert', 'It is dealt with', 'closed');
}
