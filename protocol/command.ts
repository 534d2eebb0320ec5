import { parseJson } from './json.js';
import { compileSchema, type Schema } from './validate.js';

export const COMMAND_MAX_BYTES = 1024;

/**
 * Sent to `<base>/<device>/command/partition`: where the device cuts the network from the next frame on, until the next
 * command, until its settings say another `partition`, or until its process ends. `auto` gives the decision back to the device.
 */
export interface PartitionCommand {
  /** Partition id, `raw`, `device` or `auto`. */
  partition: string;
  /** Absent: the device decides among the rates of this point. */
  rate?: number;
}

export const partitionCommandSchema: Schema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'DeepCOD partition command, version 1',
  type: 'object',
  required: ['partition'],
  additionalProperties: false,
  properties: {
    partition: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: '1 to 64 of A-Z a-z 0-9 _ -' },
    rate: { type: 'integer', minimum: 0, maximum: 255 },
  },
};

const check = compileSchema<PartitionCommand>(partitionCommandSchema, 'partition command', 'message_invalid');

/** @throws ProtocolError `message_too_large`, `message_not_json`, `message_invalid` */
export function parsePartitionCommand(bytes: Uint8Array): PartitionCommand {
  return check(parseJson(bytes, COMMAND_MAX_BYTES, 'partition command'));
}
