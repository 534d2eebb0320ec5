import type { IClientOptions } from 'mqtt';
import { readSecret, readSecretBytes } from '../config/secret.js';
import { DeepcodError, ExitCode } from '../errors.js';
import type { MqttOptions } from './options.js';

/**
 * What mqtt.js is given for one attempt. Everything that would hide loss is off: no store of its own, no queue while
 * offline, no reconnecting behind our back.
 * @throws DeepcodError `broker_url`, `secret_unreadable`
 */
export function clientSettings(options: MqttOptions, version: 4 | 5): IClientOptions {
  const { broker, clientId, will } = options;
  let url: URL;
  try {
    url = new URL(broker.url);
  } catch {
    throw new DeepcodError('broker_url', `broker.url: "${broker.url}" is no address`, undefined, ExitCode.usage);
  }
  if (url.password) {
    throw new DeepcodError(
      'broker_url',
      'broker.url holds a password',
      'Put it into a file and name the file in broker.password_file.',
      ExitCode.usage,
    );
  }
  const tls: IClientOptions = {};
  if (broker.ca_file) tls.ca = readSecretBytes(broker.ca_file, "the broker's certificate authority (broker.ca_file)");
  if (broker.cert_file) tls.cert = readSecretBytes(broker.cert_file, 'the client certificate (broker.cert_file)');
  if (broker.key_file) tls.key = readSecretBytes(broker.key_file, 'the client key (broker.key_file)');
  return {
    ...tls,
    clientId,
    protocolVersion: version,
    clean: true,
    keepalive: broker.keepalive_s,
    connectTimeout: 10_000,
    reconnectPeriod: 0,
    // Pings go out also while frames do: otherwise a dead link with something to send would never be noticed.
    reschedulePings: false,
    resubscribe: false,
    queueQoSZero: false,
    // The bytes of all 16-bit numbers, each as an object of its own: 10 MB.
    writeCache: false,
    username: broker.username ?? (url.username ? decodeURIComponent(url.username) : undefined),
    password: broker.password_file
      ? readSecret(broker.password_file, 'the password (broker.password_file)')
      : options.password,
    will: will && { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: will.retain ?? true },
  };
}
