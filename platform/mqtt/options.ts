import type { ConfigSchema } from '../config/schema.js';

/** The `broker` section of both processes' configuration. */
export interface BrokerConfig {
  /** `mqtt://host:1883`, `mqtts://host:8883`, `ws://host/path`, `wss://...` */
  url: string;
  /** `auto` asks for 5 and takes 3.1.1 from a broker that knows no better. */
  version: 'auto' | '3.1.1' | '5';
  username?: string;
  password_file?: string;
  /** Certificate authority that signed the broker's certificate; default: the system's. */
  ca_file?: string;
  /** This client's certificate and key, where the broker wants them. */
  cert_file?: string;
  key_file?: string;
  keepalive_s: number;
}

export const brokerSchema: ConfigSchema = {
  type: 'object',
  description: 'the MQTT broker that agents and edges meet at',
  additionalProperties: false,
  default: {},
  properties: {
    url: {
      type: 'string',
      pattern: '^(mqtt|mqtts|ws|wss)://.+',
      default: 'mqtt://127.0.0.1:1883',
      description: 'mqtt://host:1883, mqtts://host:8883, ws://host/path or wss://host/path, without a password in it',
    },
    version: {
      enum: ['auto', '3.1.1', '5'],
      default: 'auto',
      description: 'MQTT version; auto asks for 5 and takes 3.1.1; quote the numbers',
    },
    username: { type: 'string', minLength: 1, description: 'name to log in with' },
    password_file: { type: 'string', format: 'path', description: 'file that holds the password' },
    ca_file: { type: 'string', format: 'path', description: 'certificate authority of the broker (PEM)' },
    cert_file: { type: 'string', format: 'path', description: "this client's certificate (PEM)" },
    key_file: { type: 'string', format: 'path', description: "this client's private key (PEM)" },
    keepalive_s: {
      type: 'integer',
      minimum: 2,
      maximum: 3600,
      default: 15,
      description: 'seconds of silence after which the broker is asked whether it is there',
    },
  },
};

export interface MqttOptions {
  broker: BrokerConfig;
  /** A password that this process made up itself; others are in `broker.password_file`. */
  password?: string;
  /** Unique at the broker. */
  clientId: string;
  /** What the broker says in our name when we are gone without a word. */
  will?: { topic: string; payload: string; retain?: boolean };
  /** Most bytes that may wait in the socket; a publish beyond that is refused (returns false). Default 4 MiB. */
  maxWaitingBytes?: number;
}
