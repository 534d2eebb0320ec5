import type { FastifyInstance } from 'fastify';
import type { Retention } from '../../store/history/types.js';
import { label, list, object, ref } from '../schemas/build.js';
import { siteStatus } from '../status.js';
import { type ApiContext, historyOf } from './context.js';
import { route } from './route.js';

const tag = 'settings';

/** How long the history is kept, and how it is. */
export function settingsRoutes(app: FastifyInstance, context: ApiContext): void {
  app.get(
    '/settings/retention',
    route({ id: 'getRetention', summary: 'How long and how much is kept', tag, answer: ref('Retention') }),
    () => historyOf(context).retention(),
  );
  app.put<{ Body: Retention }>(
    '/settings/retention',
    route({
      id: 'setRetention',
      summary: 'Changes how long and how much is kept',
      tag,
      role: 'operator',
      body: ref('Retention'),
      answer: ref('Retention'),
    }),
    ({ body }) => historyOf(context).setRetention(body),
  );
  app.get(
    '/labels',
    route({
      id: 'listLabels',
      summary: 'All classes that the bundles here know',
      tag,
      answer: object({ labels: list(label) }),
    }),
    () => ({ labels: [...new Set([...context.bundles.values()].flatMap(({ labels }) => labels))].sort() }),
  );
  app.get('/status', route({ id: 'getStatus', summary: 'How the history is', tag, answer: ref('Status') }), () =>
    siteStatus(context),
  );
}
