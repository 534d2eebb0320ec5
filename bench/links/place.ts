import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { BackgroundRequest } from './background.js';
import { type Broker, openBroker } from './broker.js';
import { Child } from './child.js';
import type { ConnectRequest, MeasureRequest } from './client.js';
import type { Link } from './decide.js';
import type { OpenRequest, SetRequest } from './edge.js';
import type { Net } from './net.js';

/** A device and an edge with a link between them, through which messages go and are answered. */
export interface Place {
  kind: Net['kind'];
  broker: string;
  /** Makes the link so; the device connects anew. @returns Mbit/s that the other traffic had once it ran, 0 without any */
  setLink(link: Link): Promise<number>;
  /** @returns milliseconds of each round trip */
  measure(request: MeasureRequest): Promise<number[]>;
  close(): Promise<void>;
}

/** How long other traffic runs before it is measured beside; and at most. */
const SETTLE_MS = 1000;
const BACKGROUND_MS = 600_000;

const script = (name: string) => [process.execPath, fileURLToPath(new URL(`./${name}.js`, import.meta.url))];

/**
 * Starts the processes.
 * @param net is closed with the place, and where this fails
 * @param open starts the broker on the edge's side
 */
export async function openPlace(net: Net, open: (net: Net) => Promise<Broker> = openBroker): Promise<Place> {
  const closing: (() => Promise<unknown>)[] = [() => net.close()];
  const close = async () => {
    for (const next of closing.splice(0).reverse()) await next();
  };
  const start = (name: string, side: 'device' | 'edge'): Child => {
    const child = new Child(name, net.command(side, script(name)));
    closing.push(() => child.stop());
    return child;
  };
  try {
    const broker = await open(net);
    closing.push(() => broker.close());
    const { version } = broker;
    const edge = start('edge', 'edge');
    const ready: OpenRequest['open'] = {
      broker: { host: '127.0.0.1', port: broker.port },
      version,
      listen: net.relayHost,
    };
    const port = await edge.ask<number>({ open: ready });
    const url = `mqtt://${net.relayHost}:${port}`;
    const client = start('client', 'device');
    let background: Child | undefined;
    return {
      kind: net.kind,
      broker: broker.name,
      async setLink(link) {
        await background?.stop();
        background = undefined;
        const set: SetRequest['set'] = { mbps: await net.shape(link.mbps), delayMs: link.delay_ms / 2 };
        await edge.ask({ set });
        const connect: ConnectRequest['connect'] = { url, version };
        await client.ask({ connect });
        if (link.background_mbps === 0) return 0;
        background = start('background', 'device');
        const send: BackgroundRequest['send'] = { url, version, mbps: link.background_mbps, forMs: BACKGROUND_MS };
        await background.ask({ send });
        await sleep(SETTLE_MS);
        return background.ask<number>({ sent: true });
      },
      measure: (request) => client.ask<number[]>(request),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}
