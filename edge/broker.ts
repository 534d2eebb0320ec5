import { once } from 'node:events';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import type { Log } from '../platform/log.js';
import { FRAME_MAX_BYTES } from '../protocol/frame.js';
import { PacketLimit } from './broker/packet-limit.js';

export interface BrokerOptions {
  /** Address to listen on; anything but loopback opens the broker to the network. */
  host: string;
  /** TCP port; 0 takes a free one. */
  port: number;
  /** Connections at the same time, at most. */
  maxConnections?: number;
}

/** The broker inside the edge's process: MQTT 3.1.1 over TCP, for one machine without further installation. */
export interface EmbeddedBroker {
  /** Address for clients on this machine. */
  readonly url: string;
  readonly port: number;
  readonly connections: number;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

/** A topic and properties beside the largest frame. */
const maxPacketBytes = FRAME_MAX_BYTES + 4096;

/**
 * Starts the embedded broker.
 * @throws DeepcodError `broker_listen` (exit code 2) when the address cannot be listened on
 */
export async function startBroker(options: BrokerOptions, log: Log): Promise<EmbeddedBroker> {
  const { host, port, maxConnections = 4096 } = options;
  const aedes = await Aedes.createBroker({ connectTimeout: 10_000, keepaliveLimit: 3600, queueLimit: 42 });
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once('close', () => sockets.delete(socket));
    limitPackets(socket, log);
    aedes.handle(socket);
  });
  server.maxConnections = maxConnections;
  server.on('drop', () => log.warn('connection refused: too many', { max: maxConnections }));
  aedes.on('clientError', (client, error) => log.debug('client failed', { client: client.id, error }));
  aedes.on('connectionError', (_client, error) => log.debug('connection failed', { error }));

  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    await new Promise<void>((resolve) => aedes.close(resolve));
    throw listenError(error as NodeJS.ErrnoException, options);
  }
  server.on('error', (error) => log.error('the embedded broker failed', { error }));
  const bound = (server.address() as AddressInfo).port;
  if (!isLoopback(host)) {
    const hint = 'Use broker.host 127.0.0.1, or a broker with TLS and accounts.';
    log.warn(`the embedded broker is open to the network on ${host}:${bound}, without passwords`, { hint });
  }

  return {
    url: `mqtt://${clientHost(host)}:${bound}`,
    port: bound,
    get connections() {
      return sockets.size;
    },
    async close() {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await new Promise<void>((resolve) => aedes.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

/** aedes pulls bytes with read(): each chunk passes the limit first, so an announced gigabyte is never collected. */
function limitPackets(socket: Socket, log: Log): void {
  const limit = new PacketLimit(maxPacketBytes);
  const read = socket.read.bind(socket);
  socket.read = (size?: number) => {
    const chunk = read(size);
    if (!(chunk instanceof Uint8Array) || limit.accept(chunk)) return chunk;
    log.warn('connection ended: a packet is too large', { from: socket.remoteAddress, max_bytes: maxPacketBytes });
    socket.destroy();
    return null;
  };
}

function listenError(error: NodeJS.ErrnoException, { host, port }: BrokerOptions): DeepcodError {
  const inUse = error.code === 'EADDRINUSE';
  return new DeepcodError(
    'broker_listen',
    `the embedded broker cannot listen on ${host}:${port}: ${inUse ? 'another program does' : error.message}`,
    inUse
      ? 'Set broker.port to a free port, or broker.url to the broker that runs there.'
      : 'Set broker.host to an address of this machine.',
    ExitCode.usage,
  );
}

const isLoopback = (host: string): boolean => host === 'localhost' || host === '::1' || host.startsWith('127.');

function clientHost(host: string): string {
  if (host === '0.0.0.0' || host === '') return '127.0.0.1';
  if (host === '::') return '[::1]';
  return host.includes(':') ? `[${host}]` : host;
}
