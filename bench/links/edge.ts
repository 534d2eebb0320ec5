/** The edge's side of a link: answers every message at once, and holds the relay that the device connects to. */
import { ANSWER_BYTES } from '../link/answer.js';
import { type LinkState, Relay } from '../link/relay.js';
import { answer } from './child.js';
import { connect } from './connect.js';
import { FRAME_TOPIC, RESULT_TOPIC } from './topics.js';

export interface OpenRequest {
  open: { broker: { host: string; port: number }; version: 4 | 5; listen: string };
}
export interface SetRequest {
  set: Pick<LinkState, 'delayMs'> & {
    /** Mbit/s; null is no limit. */
    mbps: number | null;
  };
}

let relay: Relay | undefined;

/** @returns the relay's port */
async function open({ broker, version, listen }: OpenRequest['open']): Promise<number> {
  const client = await connect(`mqtt://${broker.host}:${broker.port}`, version);
  client.on('message', (_, payload) => {
    const result = Buffer.alloc(ANSWER_BYTES);
    payload.copy(result, 0, 0, 4);
    client.publish(RESULT_TOPIC, result);
  });
  await client.subscribeAsync(FRAME_TOPIC);
  relay = await Relay.open(broker, { mbps: Number.POSITIVE_INFINITY, delayMs: 0, up: true }, { host: listen, port: 0 });
  return relay.port;
}

answer<OpenRequest | SetRequest>(async (request) => {
  if ('open' in request) return open(request.open);
  relay?.set({ mbps: request.set.mbps ?? Number.POSITIVE_INFINITY, delayMs: request.set.delayMs, up: true });
});
