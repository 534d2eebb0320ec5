import type { Socket } from 'node:net';
import { Bucket } from './bucket.js';
import type { BrokerLimits } from './config.js';
import { grantsOf, Permissions, type Role, type Space } from './grants.js';

/** A reader that is behind by more gets nothing new until it has read. */
const BEHIND_BYTES = { device: 1024 * 1024, others: 16 * 1024 * 1024 };
/** All packets together, also those that carry no message, per message that is allowed. */
const PACKETS_PER_MESSAGE = 10;

/** One connection: who it is, what it may do, and what it did. */
export class BrokerClient {
  readonly permissions: Permissions;
  readonly subscriptions = new Set<string>();
  /** Why it is not let in, once CONNECT was read. */
  refusal: string | undefined;
  /** undefined: not slowed. */
  readonly rates: { messages: Bucket; bytes: Bucket; packets: Bucket } | undefined;
  readonly #behindBytes: number;

  constructor(
    readonly socket: Socket,
    readonly role: Role,
    /** Common name of its certificate; without one, the address. */
    readonly name: string,
    /** Of its certificate. */
    readonly serial: string | undefined,
    space: Space,
    limits: BrokerLimits,
    now: number,
  ) {
    this.permissions = new Permissions(grantsOf(role, space, name));
    this.#behindBytes = role === 'device' || role === 'anyone' ? BEHIND_BYTES.device : BEHIND_BYTES.others;
    if (role !== 'worker' && role !== 'local') {
      this.rates = {
        messages: new Bucket(limits.messages_per_s, now),
        bytes: new Bucket(limits.megabytes_per_s * 2 ** 20, now),
        packets: new Bucket(limits.messages_per_s * PACKETS_PER_MESSAGE, now),
      };
    }
  }

  /** Whether its client id and last will are its own: it came with a certificate. */
  get certified(): boolean {
    return this.serial !== undefined;
  }

  /** Whether it does not read what it asked for. */
  get behind(): boolean {
    return this.socket.writableLength > this.#behindBytes;
  }
}
