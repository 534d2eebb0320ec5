import type { FastifyInstance } from 'fastify';
import { cameraDetail, cameraSummary } from '../cameras.js';
import { HttpError } from '../problem.js';
import { amount, cameraName, list, object, ref, time } from '../schemas/build.js';
import { type ApiContext, found, historyOf } from './context.js';
import { route } from './route.js';

const params = object({ camera: cameraName });
const span = { from: time(), to: time() };
const tag = 'cameras';
const DAY_MS = 86_400_000;
/** Samples in one answer, at most. */
const SAMPLES = 2000;

/** Cameras: what they do now, and what they did. */
export function cameraRoutes(app: FastifyInstance, context: ApiContext): void {
  const { store } = context;
  const deviceOf = (name: string) => found(store.device(name), 'camera');
  type Named = { Params: { camera: string } };

  app.get(
    '/cameras',
    route({
      id: 'listCameras',
      summary: 'All cameras that were heard of',
      tag,
      answer: object({ now: time(), cameras: list(ref('CameraSummary')) }),
    }),
    () => {
      const now = Date.now();
      return { now, cameras: store.devices().map((device) => cameraSummary(device, context, now)) };
    },
  );

  app.get<Named>(
    '/cameras/:camera',
    route({ id: 'getCamera', summary: 'One camera: live figures and health', tag, params, answer: ref('Camera') }),
    ({ params }) => cameraDetail(deviceOf(params.camera), context, Date.now()),
  );

  app.delete<Named>(
    '/cameras/:camera',
    route({
      id: 'removeCamera',
      summary:
        'Takes a camera away that is gone for good: from the list, from the broker, from Home Assistant. Its history stays',
      tag,
      role: 'operator',
      params,
    }),
    async ({ params: { camera } }, reply) => {
      if (store.device(camera)?.present(Date.now())) {
        throw new HttpError(409, 'camera_online', `${camera} is there.`, 'Stop its agent first.');
      }
      if (context.commands && !context.commands.remove(camera)) {
        throw new HttpError(503, 'no_broker', 'The broker cannot be told now.', 'Try again.');
      }
      store.forget(camera);
      return reply.code(204).send();
    },
  );

  app.get<Named>(
    '/cameras/:camera/picture',
    route({
      id: 'getPicture',
      summary: 'The newest picture of a camera, where it has one',
      tag,
      params,
      type: 'image/jpeg',
    }),
    ({ params }, reply) => {
      const snapshot = deviceOf(params.camera).shown(Date.now())?.snapshot;
      if (!snapshot) throw new HttpError(404, 'no_picture', 'No picture of this camera.');
      return reply.type(snapshot.type).send(Buffer.from(snapshot.data));
    },
  );

  app.get<Named & { Querystring: { from?: number; to?: number; step_s?: number } }>(
    '/cameras/:camera/samples',
    route({
      id: 'listSamples',
      summary: 'Figures of a camera over time, one a minute or as many together as `step_s` says',
      tag,
      params,
      query: object({ ...span, step_s: { ...amount('seconds, at least 60'), minimum: 60, maximum: 604_800 } }, [
        'from',
        'to',
        'step_s',
      ]),
      answer: object({ step_s: amount(), samples: list(ref('Sample')) }),
    }),
    async ({ params, query }) => {
      const { to = Date.now(), from = to - DAY_MS } = query;
      const least = Math.ceil((to - from) / SAMPLES / 60_000) * 60;
      const step = Math.max(60, least, Math.round((query.step_s ?? 60) / 60) * 60);
      return { step_s: step, samples: await historyOf(context).samples(params.camera, from, to, step * 1000) };
    },
  );

  app.get<Named & { Querystring: { from?: number; to?: number; limit: number } }>(
    '/cameras/:camera/changes',
    route({
      id: 'listChanges',
      summary: 'When partition point or rate changed, and why; newest first',
      tag,
      params,
      query: object({ ...span, limit: { type: 'integer', minimum: 1, maximum: 1000, default: 200 } }, [
        'from',
        'to',
        'limit',
      ]),
      answer: object({ changes: list(ref('Change')) }),
    }),
    async ({ params, query }) => {
      const { to = Date.now(), from = to - DAY_MS, limit } = query;
      return { changes: await historyOf(context).changes(params.camera, from, to, limit) };
    },
  );
}
