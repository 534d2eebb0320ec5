import { timingSafeEqual } from 'node:crypto';
import type { AuthenticateError, Client, ConnectPacket, PublishPacket, Subscription } from 'aedes';
import type { Log } from '../../platform/log.js';
import type { BrokerClient } from './client.js';
import { type BrokerLimits, INTEGRATION_SUBSCRIPTIONS } from './config.js';
import type { BrokerCounters } from './counters.js';
import { Offenders } from './offenders.js';
import { Retained } from './retained.js';

/** A topic that nobody may read: where messages go that are not passed on. aedes knows only "pass on" and "hang up". */
const NOWHERE = '$dropped';
const LONGEST_TOPIC = 1024;
const LONGEST_ID = 256;

type Done = (error?: Error | null) => void;

/**
 * What the embedded broker asks before it does anything for a client: who may log in, write, read, keep, and how much.
 *
 * Over the rate, a message with QoS 0 is dropped; one that is acknowledged is held back instead, and nothing more is read
 * from its sender meanwhile: what a device was told has arrived must not be lost.
 */
export class Guard {
  readonly #clients = new WeakMap<object, BrokerClient>();
  readonly #offenders = new Offenders();
  readonly #retained: Retained;

  /** @param secret the password of the edge's own connection, new at each start */
  constructor(
    readonly limits: BrokerLimits,
    readonly counters: BrokerCounters,
    readonly secret: string,
    readonly log: Log,
  ) {
    this.#retained = new Retained(limits.retained);
  }

  /** Notes who a connection is. @returns false when they are locked out */
  enter(client: BrokerClient): boolean {
    this.#clients.set(client.socket, client);
    if (!this.#offenders.isOut(client.name, Date.now())) return true;
    this.counters.logins_refused++;
    return false;
  }

  /** Packets of all kinds that came. @returns false when they are too many */
  packets(client: BrokerClient, count: number): boolean {
    const { rates } = client;
    if (!rates) return true;
    const now = Date.now();
    rates.packets.take(count, now);
    if (rates.packets.wait(now) === 0) return true;
    this.counters.over_rate++;
    this.#lockOut(client, 'sends packets without end');
    return false;
  }

  /** A client's ids are its own: another device's connection cannot be taken over by using its id. */
  readonly preConnect = (
    connection: Client,
    packet: ConnectPacket,
    done: (error: Error | null, ok: boolean) => void,
  ) => {
    const client = this.#clients.get(connection.conn);
    if (!client) return done(new Error('unknown connection'), false);
    client.refusal = this.#refusal(client, packet);
    if (client.certified) packet.clientId = `${client.name}/${packet.clientId}`;
    // A session that outlives its connection would collect messages without bound.
    packet.clean = true;
    done(null, true);
  };

  readonly authenticate = (
    connection: Client,
    _user: Readonly<string | undefined>,
    password: Readonly<Buffer | undefined>,
    done: (error: AuthenticateError | null, ok: boolean | null) => void,
  ) => {
    const client = this.#clients.get(connection.conn);
    const internal = client?.role === 'worker' && !client.certified;
    if (client && internal && !same(password, this.secret)) client.refusal = "wrong password for the edge's own place";
    if (client?.refusal === undefined) return done(null, client !== undefined);
    this.counters.logins_refused++;
    this.#offence(client, client.refusal);
    done(Object.assign(new Error(client.refusal), { returnCode: 5 }), false);
  };

  readonly authorizePublish = (connection: Client | null, packet: PublishPacket, done: Done) => {
    const client = connection && this.#clients.get(connection.conn);
    if (!client) return done();
    const { topic } = packet;
    const bytes = packet.payload.length;
    this.counters.messages++;
    this.counters.bytes += bytes;
    if (topic.length > LONGEST_TOPIC || !client.permissions.may('write', topic)) {
      this.counters.forbidden_publish++;
      drop(packet);
      this.#offence(client, `may not write to ${shown(topic)}`);
      return done();
    }
    if (packet.retain && !this.#mayRetain(client, topic, bytes)) packet.retain = false;
    this.#paced(client, packet, bytes, done);
  };

  readonly authorizeSubscribe = (
    connection: Client,
    subscription: Subscription,
    done: (error: Error | null, subscription?: Subscription | null) => void,
  ) => {
    const client = this.#clients.get(connection.conn);
    if (!client) return done(new Error('unknown connection'));
    const { topic } = subscription;
    const now = Date.now();
    const many = client.role === 'integration';
    const most = many ? Math.max(INTEGRATION_SUBSCRIPTIONS, this.limits.subscriptions) : this.limits.subscriptions;
    const tooMany = !client.subscriptions.has(topic) && client.subscriptions.size >= most;
    // Each one may call forth retained messages. An integration asks for those of all cameras at once.
    if (!many) client.rates?.messages.take(1, now);
    const fast = !many && (client.rates?.messages.wait(now) ?? 0) > 0;
    if (topic.length > LONGEST_TOPIC || tooMany || fast || !client.permissions.may('read', topic)) {
      this.counters.forbidden_subscribe++;
      this.#offence(client, `may not read ${shown(topic)}${tooMany ? ': too many subscriptions' : ''}`);
      // granted 128, as MQTT 3.1.1 says for a failure
      return done(null, null);
    }
    client.subscriptions.add(topic);
    done(null, subscription);
  };

  readonly authorizeForward = <P extends PublishPacket>(connection: Client, packet: P): P | null => {
    const client = this.#clients.get(connection.conn);
    if (!client?.permissions.may('read', packet.topic)) return null;
    if (!client.behind) return packet;
    this.counters.slow_reader++;
    return null;
  };

  unsubscribed(connection: Client, topics: readonly string[]): void {
    const client = this.#clients.get(connection.conn);
    for (const topic of topics) client?.subscriptions.delete(topic);
  }

  /** undefined: welcome */
  #refusal(client: BrokerClient, { clientId, username, will }: ConnectPacket): string | undefined {
    if (clientId.length > LONGEST_ID) return 'client id too long';
    if (client.certified && username !== undefined && username !== client.name) {
      return `user name ${shown(username)} is not the certificate's`;
    }
    if (!will) return undefined;
    const bytes = will.payload.length;
    if (!client.permissions.may('write', will.topic)) return `last will on ${shown(will.topic)}, which is not its own`;
    if (will.retain && !this.#mayRetain(client, will.topic, bytes))
      return `last will on ${shown(will.topic)} to be kept`;
    return undefined;
  }

  #mayRetain(client: BrokerClient, topic: string, bytes: number): boolean {
    if (client.permissions.may('retain', topic) && this.#retained.keep(topic, bytes)) return true;
    this.counters.not_retained++;
    return false;
  }

  #paced(client: BrokerClient, packet: PublishPacket, bytes: number, done: Done): void {
    const { rates } = client;
    const now = Date.now();
    const wait = rates ? Math.max(rates.messages.wait(now), rates.bytes.wait(now)) : 0;
    if (!rates || wait === 0 || client.socket.destroyed) {
      rates?.messages.take(1, now);
      rates?.bytes.take(bytes, now);
      done();
    } else if (packet.qos === 0) {
      this.counters.over_rate++;
      drop(packet);
      this.#offence(client, 'sends too much');
      done();
    } else {
      this.counters.held_back++;
      setTimeout(() => this.#paced(client, packet, bytes, done), Math.min(wait, 1000));
    }
  }

  #offence(client: BrokerClient, what: string): void {
    if (client.role === 'local') return;
    const fields = { role: client.role, from: client.socket.remoteAddress };
    const often = this.#offenders.offended(client.name, Date.now());
    if (often === 'too often') this.#lockOut(client, what);
    else if (often === 'first') this.log.warn(`${client.name} ${what}`, fields);
    else this.log.debug(`${client.name} ${what}`, fields);
  }

  #lockOut(client: BrokerClient, what: string): void {
    if (client.socket.destroyed) return;
    this.counters.locked_out++;
    this.#offenders.lockOut(client.name, Date.now());
    this.log.warn(`${client.name} is locked out for a minute: ${what}, again and again`, { role: client.role });
    client.socket.destroy();
  }
}

function drop(packet: PublishPacket): void {
  packet.topic = NOWHERE;
  packet.payload = Buffer.alloc(0);
  packet.retain = false;
}

function same(given: Readonly<Buffer | undefined>, secret: string): boolean {
  const wanted = Buffer.from(secret);
  return given?.length === wanted.length && timingSafeEqual(given, wanted);
}

/** What came from outside, for a line of the log. */
const shown = (text: string): string => JSON.stringify(text.slice(0, 100));
