import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer, type TLSSocket, type Server as TlsServer } from 'node:tls';
import { Aedes } from 'aedes';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import type { Log } from '../platform/log.js';
import { plainSerial } from '../platform/pki.js';
import { FRAME_MAX_BYTES } from '../protocol/frame.js';
import { DEFAULT_BASE } from '../protocol/topics.js';
import { clientHost, isLoopback } from './address.js';
import { Addresses } from './broker/addresses.js';
import { BrokerClient } from './broker/client.js';
import { type BrokerLimits, type BrokerTls, defaultLimits, type NamedClients } from './broker/config.js';
import { type BrokerCounters, noCounts } from './broker/counters.js';
import { DEFAULT_DISCOVERY, type Role, type Space } from './broker/grants.js';
import { Guard } from './broker/guard.js';
import { identify } from './broker/identity.js';
import { PacketLimit } from './broker/packet-limit.js';
import { readTls, type TlsMaterial, watchTls } from './broker/tls-files.js';

export interface BrokerOptions {
  /** Address to listen on; beyond loopback it takes `tls` or `insecure`. */
  host: string;
  /** TCP port; 0 takes a free one. */
  port: number;
  /** First levels of the topics that devices may use; default: `deepcod`. */
  base?: string;
  /** Home Assistant's discovery prefix; default: `homeassistant`. */
  discovery?: string;
  tls?: BrokerTls;
  /** Common names of certificates that may read everything and send commands. */
  operators?: readonly string[];
  /** Those of Home Assistant and its like. */
  integrations?: readonly string[];
  /** Let anyone on the network in. */
  insecure?: boolean;
  limits?: Partial<BrokerLimits>;
}

/** The broker inside the edge's process: MQTT 3.1.1 over TCP or TLS, for one machine without further installation. */
export interface EmbeddedBroker {
  /** Address for clients on this machine. */
  readonly url: string;
  readonly port: number;
  readonly connections: number;
  /** How the edge itself connects: never slowed, and with a password that no file holds where others come in. */
  readonly own: { url: string; password?: string };
  counters(): BrokerCounters;
  /** Ends all connections and frees the port. */
  close(): Promise<void>;
}

/** A topic and properties beside the largest frame. */
const maxPacketBytes = FRAME_MAX_BYTES + 4096;
/** Of a CONNECT: names, and a last will. */
const maxConnectBytes = 64 * 1024;
const HANDSHAKE_MS = 10_000;

/**
 * Starts the embedded broker.
 * @throws DeepcodError `broker_listen`, `broker_open`, `broker_tls`, `broker_crl`, `secret_unreadable` (exit code 2)
 */
export async function startBroker(options: BrokerOptions, log: Log): Promise<EmbeddedBroker> {
  const { host, port, tls, insecure = false } = options;
  const limits = { ...defaultLimits, ...options.limits };
  const open = !isLoopback(host);
  if (open && !tls && !insecure) throw openError(host);
  const material = tls && readTls(tls, log);
  const { base = DEFAULT_BASE, discovery = DEFAULT_DISCOVERY, operators = [], integrations = [] } = options;
  const place = new Place({ base, discovery }, limits, { operators, integrations }, material, !open && !tls, log);
  await place.open();
  const role: Role = open ? 'anyone' : 'local';
  const server = material ? place.tlsServer(material) : place.server((socket) => place.admit(socket, role));
  server.maxConnections = limits.connections;
  server.on('drop', () => place.refuse('too many in all', { max: limits.connections }));
  // The edge's own connection must not depend on what the network leaves of the limits.
  const inner = material || open ? place.server((socket) => place.admit(socket, 'worker')) : undefined;
  if (inner) inner.maxConnections = 16;
  try {
    await listen(server, port, host);
    if (inner) await listen(inner, 0, '127.0.0.1');
  } catch (error) {
    await place.close([server]);
    throw listenError(error as NodeJS.ErrnoException, options);
  }
  for (const each of [server, inner]) each?.on('error', (error) => log.error('the embedded broker failed', { error }));
  const bound = portOf(server);
  if (open && !material) {
    const hint = 'Anyone there can pose as any device. Set broker.tls, or broker.host to 127.0.0.1.';
    log.warn(`the embedded broker is open to the network on ${host}:${bound}, without passwords`, { hint });
  }
  const unwatch = tls && watchTls(tls, log, (changed) => place.renew(server as TlsServer, changed));
  const url = `${material ? 'mqtts' : 'mqtt'}://${clientHost(host)}:${bound}`;

  return {
    url,
    port: bound,
    get connections() {
      return place.counters.connections;
    },
    own: inner ? { url: `mqtt://127.0.0.1:${portOf(inner)}`, password: place.secret } : { url },
    counters: () => ({ ...place.counters }),
    async close() {
      unwatch?.();
      await place.close([server, ...(inner ? [inner] : [])]);
    },
  };
}

/** Where sockets become clients. */
class Place {
  readonly counters = noCounts();
  readonly secret = randomBytes(32).toString('base64url');
  readonly #sockets = new Map<Socket, BrokerClient | undefined>();
  readonly #addresses: Addresses;
  readonly #guard: Guard;
  #aedes: Aedes | undefined;

  constructor(
    readonly space: Space,
    readonly limits: BrokerLimits,
    readonly named: NamedClients,
    private material: TlsMaterial | undefined,
    readonly shared: boolean,
    readonly log: Log,
  ) {
    // On this machine alone all have the same address.
    this.#addresses = new Addresses(shared ? limits.connections : limits.per_address);
    this.#guard = new Guard(limits, this.counters, this.secret, log);
  }

  async open(): Promise<void> {
    const { preConnect, authenticate, authorizePublish, authorizeSubscribe, authorizeForward } = this.#guard;
    const aedes = await Aedes.createBroker({
      connectTimeout: 10_000,
      keepaliveLimit: 3600,
      queueLimit: 42,
      // With a number here, so many messages for one reader that has stopped reading would stop the whole broker.
      concurrency: 0,
      maxInflightInbound: 20,
      ...{ preConnect, authenticate, authorizePublish, authorizeSubscribe, authorizeForward },
    });
    aedes.on('clientError', (client, error) => this.log.debug('client failed', { client: client.id, error }));
    aedes.on('connectionError', (_client, error) => this.log.debug('connection failed', { error }));
    aedes.on('unsubscribe', (topics, client) => this.#guard.unsubscribed(client, topics));
    this.#aedes = aedes;
  }

  server(admit: (socket: Socket) => void): Server {
    return createServer({ noDelay: true }, (socket) => {
      if (this.#enter(socket)) admit(socket);
    });
  }

  tlsServer({ context }: TlsMaterial): TlsServer {
    const options = { ...context, requestCert: true, rejectUnauthorized: true, handshakeTimeout: HANDSHAKE_MS };
    const server = createTlsServer({ ...options, noDelay: true }, (socket) => this.#admitCertified(socket));
    server.on('connection', (socket) => this.#enter(socket));
    server.on('tlsClientError', (error, socket) => {
      this.counters.handshakes_failed++;
      this.log.debug('no TLS with a client', { from: socket.remoteAddress, error });
      socket.destroy();
    });
    return server;
  }

  /** Certificates, key or revocations have changed: new connections get them, and who is revoked goes. */
  renew(server: TlsServer, material: TlsMaterial): void {
    this.material = material;
    server.setSecureContext(material.context);
    for (const [socket, client] of this.#sockets) {
      if (client?.serial === undefined || !this.#isRevoked(client.serial)) continue;
      this.#revoked(socket, client.name, client.serial);
    }
  }

  /** Gives a socket to the broker. */
  admit(socket: Socket, role: Role, name = socket.remoteAddress ?? '?', serial?: string): void {
    const client = new BrokerClient(socket, role, name, serial, this.space, this.limits, Date.now());
    if (!this.#guard.enter(client)) {
      socket.destroy();
      return;
    }
    this.#sockets.set(socket, client);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#limitPackets(client);
    this.#neverWait(socket);
    this.#aedes?.handle(socket);
  }

  refuse(why: string, fields: Record<string, unknown>): void {
    this.counters.too_many++;
    this.log.warn(`connection refused: ${why}`, fields);
  }

  async close(servers: Server[]): Promise<void> {
    const closed = servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve())));
    await new Promise<void>((resolve) => (this.#aedes ? this.#aedes.close(resolve) : resolve()));
    for (const socket of this.#sockets.keys()) socket.destroy();
    await Promise.all(closed);
  }

  /** Counts a connection before anything is done for it. */
  #enter(socket: Socket): boolean {
    const address = socket.remoteAddress ?? '?';
    if (!this.#addresses.enter(address)) {
      this.refuse('too many of one address', { from: address, max: this.limits.per_address });
      socket.destroy();
      return false;
    }
    this.counters.connections++;
    this.#sockets.set(socket, undefined);
    socket.once('close', () => {
      this.counters.connections--;
      this.#sockets.delete(socket);
      this.#addresses.leave(address);
    });
    return true;
  }

  #admitCertified(socket: TLSSocket): void {
    const identity = identify(socket, this.named);
    if (!identity) {
      this.counters.handshakes_failed++;
      this.log.warn('a certificate that names no client', { from: socket.remoteAddress });
      socket.destroy();
    } else if (this.#isRevoked(identity.serial)) {
      this.#revoked(socket, identity.name, identity.serial);
    } else this.admit(socket, identity.role, identity.name, identity.serial);
  }

  #isRevoked(serial: string): boolean {
    return this.material?.revoked.has(plainSerial(serial)) ?? false;
  }

  #revoked(socket: Socket, name: string, serial: string): void {
    this.counters.revoked++;
    this.log.warn(`${name}: its certificate was revoked`, { serial, from: socket.remoteAddress });
    socket.destroy();
  }

  /** aedes pulls bytes with read(): each chunk passes the limit first, so an announced gigabyte is never collected. */
  #limitPackets(client: BrokerClient): void {
    const { socket } = client;
    const limit = new PacketLimit(maxPacketBytes, maxConnectBytes);
    const read = socket.read.bind(socket);
    socket.read = (size?: number) => {
      const chunk = read(size);
      if (!(chunk instanceof Uint8Array)) return chunk;
      const before = limit.packets;
      if (!limit.accept(chunk)) {
        this.counters.too_large++;
        const most = before === 0 ? maxConnectBytes : maxPacketBytes;
        this.log.warn('connection ended: a packet is too large', { from: socket.remoteAddress, max_bytes: most });
        socket.destroy();
        return null;
      }
      return this.#guard.packets(client, limit.packets - before) ? chunk : null;
    };
  }

  /**
   * aedes waits until a reader has read, and with it waits who wrote: one device that stops reading its results would stop
   * the worker that answers all of them. So nobody waits here, and the guard gives nothing new to who is behind.
   */
  #neverWait(socket: Socket): void {
    const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
    socket.write = (...args: unknown[]): boolean => {
      write(...args);
      return true;
    };
  }
}

async function listen(server: Server, port: number, host: string): Promise<void> {
  server.listen(port, host);
  await once(server, 'listening');
}

const portOf = (server: Server): number => (server.address() as AddressInfo).port;

function openError(host: string): DeepcodError {
  return new DeepcodError(
    'broker_open',
    `broker.host: ${host} lets the network in, and without broker.tls anyone there could pose as any device`,
    "Set broker.tls ('deepcod broker embedded' makes what it needs), or broker.host to 127.0.0.1. On a network that you " +
      'trust as a whole: broker.insecure true.',
    ExitCode.usage,
  );
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
