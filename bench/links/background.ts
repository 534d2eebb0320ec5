/** Other traffic on a link: a second connection of the device that sends so many bits a second, over TCP like everything else. */
import { randomBytes } from 'node:crypto';
import { answer } from './child.js';
import { connect } from './connect.js';
import { BACKGROUND_TOPIC } from './topics.js';

export interface BackgroundRequest {
  send: { url: string; version: 4 | 5; mbps: number; forMs: number };
}

const EVERY_MS = 4;
/** What may wait to be sent: beyond that the link carries no more, and TCP has its share. */
const MOST_WAITING = 256 * 1024;

let sent = 0;
let started = 0;

async function send({ url, version, mbps, forMs }: BackgroundRequest['send']): Promise<void> {
  const client = await connect(url, version);
  const piece = randomBytes(16 * 1024);
  started = performance.now();
  const timer = setInterval(() => {
    const elapsed = performance.now() - started;
    if (elapsed > forMs || !client.connected) {
      clearInterval(timer);
      client.end(true);
      return;
    }
    const due = (elapsed * mbps * 1000) / 8;
    while (sent < due && client.stream.writableLength < MOST_WAITING) {
      client.publish(BACKGROUND_TOPIC, piece);
      sent += piece.length;
    }
  }, EVERY_MS);
}

answer<BackgroundRequest | { sent: true }>(async (request) => {
  if ('send' in request) return send(request.send);
  return (sent * 8) / (performance.now() - started) / 1000;
});
