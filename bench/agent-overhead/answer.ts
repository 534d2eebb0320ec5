/** Child process of bench/agent-overhead.ts: a broker and an edge that answers at once. Sends {url}; ends with its parent. */
import { once } from 'node:events';
import { startBroker } from '../../edge/broker.js';
import { silentLog } from '../../platform/log.js';
import { connectMqtt } from '../../platform/mqtt.js';
import { parseFrame } from '../../protocol/frame.js';
import { encodeResult } from '../../protocol/result.js';
import { Topics } from '../../protocol/topics.js';

const broker = await startBroker({ host: '127.0.0.1', port: 0 }, silentLog);
const topics = new Topics();
const edge = connectMqtt(
  { broker: { url: broker.url, version: '3.1.1', keepalive_s: 15 }, clientId: 'edge' },
  silentLog,
);
edge.onUp(() => edge.publish(topics.edgeStatus('bench'), JSON.stringify({ online: true }), { retain: true }));
edge.subscribe(topics.filters.allFrames(), (topic, payload) => {
  const frame = parseFrame(payload);
  const about = topics.parse(topic);
  if (about?.kind !== 'frame') return;
  const message = encodeResult({
    v: 1,
    session: frame.session,
    frame: frame.frame,
    bundle: frame.bundleId,
    partition: 'bench',
    rate: frame.rate,
    worker: 'bench',
    width: frame.sourceWidth,
    height: frame.sourceHeight,
    detections: [],
    edge_ms: { queue: 0, decode: 0, tail: 0, post: 0, total: 0 },
  });
  edge.publish(topics.result(about.device), message);
});
await edge.ready(10_000);
process.send?.({ url: broker.url });
await once(process, 'disconnect');
await edge.close();
await broker.close();
