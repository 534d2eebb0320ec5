import type { ConfigSchema } from '../../platform/config.js';

/** The embedded broker's certificates: files, PEM. */
export interface BrokerTls {
  certificate: string;
  key: string;
  /** Authority of the devices' certificates. */
  ca: string;
  /** Revoked certificates, signed by the authority; read again when it changes. */
  crl?: string;
}

/** Of one integration: several topics for each camera. */
export const INTEGRATION_SUBSCRIPTIONS = 8192;

/** What one client may cost, and all of them together. */
export interface BrokerLimits {
  connections: number;
  per_address: number;
  messages_per_s: number;
  megabytes_per_s: number;
  subscriptions: number;
  retained: number;
}

/** Common names of certificates that may do more, or other things, than devices. */
export interface NamedClients {
  /** Read everything, and send commands. */
  operators: readonly string[];
  /** Home Assistant and its like. */
  integrations: readonly string[];
}

/** The part of the `broker` section that concerns the embedded one alone. */
export interface EmbeddedBrokerConfig {
  insecure: boolean;
  tls?: BrokerTls;
  operators: string[];
  integrations: string[];
  limits: BrokerLimits;
}

/** Limits unless the configuration says otherwise. */
export const defaultLimits: BrokerLimits = {
  connections: 4096,
  per_address: 1024,
  messages_per_s: 200,
  megabytes_per_s: 16,
  subscriptions: 32,
  retained: 20_000,
};

const count = (most: number, value: number, description: string): ConfigSchema => ({
  type: 'integer',
  minimum: 1,
  maximum: most,
  default: value,
  description: `1..${most} ${description}`,
});

const file = (description: string): ConfigSchema => ({ type: 'string', format: 'path', minLength: 1, description });

const names = (description: string): ConfigSchema => ({
  type: 'array',
  default: [],
  maxItems: 256,
  items: { type: 'string', pattern: '^[A-Za-z0-9_-]{1,64}$', description: 'common name of a certificate' },
  description,
});

export const embeddedBrokerProperties: Record<string, ConfigSchema> = {
  insecure: {
    type: 'boolean',
    default: false,
    description: 'true: listen beyond this machine without TLS, where anyone on the network is let in',
  },
  tls: {
    type: 'object',
    description: 'TLS, with a certificate for each device; its common name is the device',
    additionalProperties: false,
    required: ['certificate', 'key', 'ca'],
    properties: {
      certificate: file("the broker's certificate (PEM)"),
      key: file("the broker's private key (PEM)"),
      ca: file('authority that signed the certificates of devices, workers and operators (PEM)'),
      crl: file('revoked certificates, signed by the authority (PEM); read again when it changes'),
    },
  },
  operators: names('common names of certificates that may read everything and send commands, with TLS'),
  integrations: names(
    'common names of certificates of Home Assistant and its like, with TLS: they read what is announced to them and choose partition points',
  ),
  limits: {
    type: 'object',
    description: 'what clients of the embedded broker may cost; workers and programs on this machine are not slowed',
    additionalProperties: false,
    default: {},
    properties: {
      connections: count(65_535, defaultLimits.connections, 'connections at the same time'),
      per_address: count(65_535, defaultLimits.per_address, 'connections of one address at the same time'),
      messages_per_s: count(
        100_000,
        defaultLimits.messages_per_s,
        'messages a second of one client; for two seconds twice as many',
      ),
      megabytes_per_s: count(
        10_000,
        defaultLimits.megabytes_per_s,
        'MB a second of one client; for two seconds twice as many',
      ),
      subscriptions: count(10_000, defaultLimits.subscriptions, 'subscriptions of one client'),
      retained: count(1_000_000, defaultLimits.retained, 'retained messages of all clients, 256 KB each at most'),
    },
  },
};
