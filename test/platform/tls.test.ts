import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { createLog, type LogEvent } from '../../platform/log.js';
import { type BrokerConfig, connectMqtt } from '../../platform/mqtt.js';
import { mosquittoBroker, withoutMosquitto } from './brokers.js';

const withoutOpenssl = spawnSync('openssl', ['version']).error ? 'openssl is not installed' : false;

/** A site's own authority, and certificates for a broker and a device. */
function certificates(dir: string): void {
  const openssl = (...args: string[]) => {
    const { status, stderr } = spawnSync('openssl', args, { cwd: dir, encoding: 'utf8' });
    if (status !== 0) throw new Error(stderr);
  };
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl('req', '-x509', ...key, '-keyout', 'ca.key', '-out', 'ca.pem', '-subj', '/CN=site', '-days', '1');
  for (const [name, more] of [
    ['broker', ['-addext', 'subjectAltName=IP:127.0.0.1']],
    ['yard', []],
  ] as const) {
    openssl('req', ...key, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`, ...more);
    const sign = ['-CA', 'ca.pem', '-CAkey', 'ca.key', '-CAcreateserial', '-copy_extensions', 'copy', '-days', '1'];
    openssl('x509', '-req', '-in', `${name}.csr`, '-out', `${name}.pem`, ...sign);
  }
}

t.test('TLS with client certificates', { skip: withoutMosquitto || withoutOpenssl }, async (t) => {
  const dir = t.testdir({});
  certificates(dir);
  const broker = await mosquittoBroker([
    ...['cafile ca.pem', 'certfile broker.pem', 'keyfile broker.key'].map((line) => line.replace(' ', ` ${dir}/`)),
    ...['require_certificate true', 'use_identity_as_username true', 'allow_anonymous false', 'user root'],
  ]);
  await broker.start();
  const connect = async (files: Partial<BrokerConfig>) => {
    const events: LogEvent[] = [];
    const log = createLog('test', 'debug', { write: (_, event) => events.push(event) });
    const url = broker.url.replace('mqtt:', 'mqtts:');
    const config: BrokerConfig = { url, version: 'auto', keepalive_s: 15, ...files };
    const client = connectMqtt({ broker: config, clientId: 'yard' }, log);
    for (let i = 0; i < 400 && !client.connected && events.length === 0; i++) {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    const { connected } = client;
    await client.close();
    return { connected, reason: String(events[0]?.fields.reason), hint: String(events[0]?.fields.hint) };
  };
  const ca_file = join(dir, 'ca.pem');
  const cert_file = join(dir, 'yard.pem');
  const key_file = join(dir, 'yard.key');
  t.match(await connect({ ca_file, cert_file, key_file }), { connected: true });
  t.match(await connect({ cert_file, key_file }), { connected: false, reason: /not trusted/, hint: /ca_file/ });
  t.match(await connect({ ca_file }), { connected: false, reason: /./ });
  await broker.stop();
});
