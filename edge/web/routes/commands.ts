import type { FastifyInstance } from 'fastify';
import type { PartitionCommand } from '../../../protocol/command.js';
import { HttpError } from '../problem.js';
import { cameraName, object } from '../schemas/build.js';
import { type ApiContext, found } from './context.js';
import { route } from './route.js';

const body = object(
  {
    partition: {
      type: 'string',
      pattern: '^[A-Za-z0-9_-]{1,64}$',
      description: 'a partition point of its bundle, `raw`, `device`, or `auto`: the device decides',
    },
    rate: { type: 'integer', minimum: 0, maximum: 255, description: 'absent: the device decides' },
  },
  ['rate'],
);

/** What devices are told to do. */
export function commandRoutes(app: FastifyInstance, context: ApiContext): void {
  app.post<{ Params: { camera: string }; Body: PartitionCommand }>(
    '/cameras/:camera/commands/partition',
    route({
      id: 'choosePartition',
      summary: 'Tells a device where to cut the network; it obeys if its settings allow it, and its health says so',
      tag: 'commands',
      role: 'operator',
      params: object({ camera: cameraName }),
      body,
      answer: object({ sent: { type: 'boolean', const: true } }),
      status: 202,
    }),
    async ({ params, body }, reply) => {
      const { commands, store } = context;
      if (!commands) {
        throw new HttpError(403, 'commands_off', 'This edge sends no commands.');
      }
      found(store.device(params.camera), 'camera');
      if (!commands.partition(params.camera, body)) {
        throw new HttpError(503, 'no_broker', 'The broker does not take the command now.', 'Try again.');
      }
      return reply.code(202).send({ sent: true });
    },
  );
}
