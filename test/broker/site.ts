import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import mqtt, { type IClientOptions, type MqttClient } from 'mqtt';
import { signedCertificate } from '../../platform/pki/certificate.js';
import { requestExtensions } from '../../platform/pki/request.js';
import { openSiteCa } from '../../platform/pki.js';
import { until } from '../edge/harness.js';
import { run } from '../platform/process.js';

export interface Pair {
  certificate: string;
  key: string;
}

/** A site with certificates of all sorts, and what `deepcod broker` wrote for it. */
export interface TestSite {
  folder: string;
  ca: string;
  /** Of this site, good: devices `yard`, `street` and `stolen`, the operator `alice`, the worker `edge-1`. */
  yard: Pair;
  street: Pair;
  stolen: Pair;
  alice: Pair;
  /** Home Assistant's, as an integration. */
  house: Pair;
  worker: Pair;
  /** Named `yard`: of another site, and expired yesterday. */
  foreign: Pair;
  expired: Pair;
  /** Of this site, for a name that would reach into the edges' topics. */
  odd: Pair;
  /** A server's: may not be used by a client. */
  server: Pair;
  /** Runs `deepcod broker ...` for this site. */
  broker(args: string[]): Promise<string>;
}

export async function testSite(t: { teardown(f: () => unknown): void }): Promise<TestSite> {
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-site-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const ca = await openSiteCa(join(folder, 'site'));
  const foreign = await openSiteCa(join(folder, 'foreign'));
  const device = (name: string): Promise<Pair> => ca.issue({ name, kind: 'device' });
  return {
    folder,
    ca: ca.certificate,
    yard: await device('yard'),
    street: await device('street'),
    stolen: await device('stolen'),
    alice: await device('alice'),
    house: await device('house'),
    worker: await ca.issue({ name: 'edge-1', kind: 'worker' }),
    foreign: await foreign.issue({ name: 'yard', kind: 'device' }),
    expired: expired(join(folder, 'site')),
    odd: await device('edge'),
    server: await ca.issue({ name: 'yard', kind: 'server' }),
    async broker(args) {
      const { code, output } = await run('scripts/deepcod.js', ['broker', ...args, '--site', join(folder, 'site')]);
      if (code !== 0) throw new Error(output);
      return output;
    },
  };
}

/** The authority would never sign this. */
function expired(site: string): Pair {
  const key = createPrivateKey(readFileSync(join(site, 'ca.key')));
  const authority = new X509Certificate(readFileSync(join(site, 'ca.crt')));
  const own = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const day = 86_400_000;
  const certificate = signedCertificate({
    subject: { name: 'yard', publicKey: own.publicKey },
    issuer: { name: authority.subject.replace(/^CN=/, ''), publicKey: createPublicKey(key), privateKey: key },
    validity: { notBefore: new Date(Date.now() - 3 * day), notAfter: new Date(Date.now() - day) },
    extensions: requestExtensions({ name: 'yard', kind: 'device' }),
  });
  return { certificate, key: own.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
}

/** A client of a test. */
export class Client {
  readonly heard: { topic: string; text: string; retained: boolean }[] = [];

  private constructor(readonly mqtt: MqttClient) {
    mqtt.on('message', (topic, payload, { retain }) => {
      this.heard.push({ topic, text: payload.toString('latin1').slice(0, 100), retained: retain });
    });
    mqtt.on('error', () => {});
  }

  /** @returns undefined when the broker does not let it in */
  static async connect(url: string, ca: string, pair?: Pair, more: IClientOptions = {}): Promise<Client | undefined> {
    const tls = url.startsWith('mqtts') ? { ca, cert: pair?.certificate, key: pair?.key } : {};
    const fixed = { protocolVersion: 4, reconnectPeriod: 0, connectTimeout: 10_000 } as const;
    const client = new Client(mqtt.connect(url, { ...fixed, ...tls, ...more }));
    const up = await new Promise<boolean>((resolve) => {
      client.mqtt.once('connect', () => resolve(true));
      client.mqtt.once('close', () => resolve(false));
    });
    if (up) return client;
    client.mqtt.end(true);
    return undefined;
  }

  /** @returns whether each filter was granted */
  async ask(...filters: string[]): Promise<boolean[]> {
    const granted: boolean[] = [];
    for (const filter of filters) {
      const answer = await this.mqtt.subscribeAsync(filter).catch(() => undefined);
      granted.push(answer !== undefined && answer[0]?.qos !== 128);
    }
    return granted;
  }

  say(topic: string, text: string | Buffer, options: { qos?: 0 | 1; retain?: boolean } = {}): void {
    this.mqtt.publish(topic, text, options);
  }

  async hears(text: string): Promise<void> {
    await until(() => this.heard.some((message) => message.text === text), `the message ${text}`);
  }

  get texts(): string[] {
    return this.heard.map(({ text }) => text);
  }

  async gone(): Promise<void> {
    await until(() => !this.mqtt.connected, 'the end of a connection');
  }

  async close(): Promise<void> {
    await this.mqtt.endAsync(true);
  }
}
