import { connectAsync, type MqttClient } from 'mqtt';

/** A connection as the agent's: no delay for small writes, and none is made anew behind the bench's back. */
export async function connect(url: string, version: 4 | 5): Promise<MqttClient> {
  const client = await connectAsync(url, { protocolVersion: version, reconnectPeriod: 0, connectTimeout: 30_000 });
  client.on('error', () => {});
  (client.stream as { setNoDelay?: (on: boolean) => void }).setNoDelay?.(true);
  return client;
}
