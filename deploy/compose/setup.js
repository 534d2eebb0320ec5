#!/usr/bin/env node
// Prepares what compose.yaml starts: deploy/compose/setup.js SITE PARTS STATE BROKER_HOST DEVICE...
// SITE: the site's authority. PARTS: a folder for the broker, the edge and each device, each readable by that part alone.
// STATE: folders `broker` and `edge`, volumes that those two write; they get them as their own.
// What is there stays. Runs inside the image, as root, without a network.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSiteCa } from '../../dist/platform/pki.js';

const [site, parts, state, host, ...devices] = process.argv.slice(2);
if (devices.length === 0) {
  console.error('usage: deploy/compose/setup.js SITE PARTS STATE BROKER_HOST DEVICE...');
  process.exit(2);
}
const BROKER = 1883;
const OURS = 1000;
const deepcod = (args, input) =>
  execFileSync(process.execPath, ['dist/scripts/deepcod.js', ...args], { input, stdio: ['pipe', 2, 2] });
const give = (folder, user) => {
  for (const name of readdirSync(folder)) {
    chownSync(join(folder, name), user, user);
    chmodSync(join(folder, name), 0o400);
  }
  chownSync(folder, user, user);
  chmodSync(folder, 0o500);
};
/** A folder is complete or not there: a setup that was interrupted begins again. */
const make = async (name, user, fill) => {
  const folder = join(parts, name);
  if (existsSync(folder)) return;
  const fresh = `${folder}.new`;
  mkdirSync(fresh, { recursive: true });
  await fill(fresh);
  give(fresh, user);
  renameSync(fresh, folder);
};

chownSync(join(state, 'broker'), BROKER, BROKER);
chownSync(join(state, 'edge'), OURS, OURS);
const broker = join(parts, 'broker');
// Certificates of the edge come with the broker's configuration, in the same folder.
await make('broker', BROKER, (folder) =>
  deepcod([
    'broker',
    'mosquitto',
    '--site',
    site,
    '--out',
    folder,
    '--folder',
    broker,
    '--host',
    host,
    '--host',
    'localhost',
  ]),
);
const ca = await openSiteCa(site);
const member = async (folder, name, kind) => {
  const { certificate, key } = await ca.issue({ name, kind });
  writeFileSync(join(folder, 'client.crt'), certificate);
  writeFileSync(join(folder, 'client.key'), key);
  writeFileSync(join(folder, 'ca.crt'), ca.certificate);
  return {
    url: `mqtts://${host}:8883`,
    version: '5',
    ca_file: join(parts, name === 'edge-1' ? 'edge' : name, 'ca.crt'),
    cert_file: join(parts, name === 'edge-1' ? 'edge' : name, 'client.crt'),
    key_file: join(parts, name === 'edge-1' ? 'edge' : name, 'client.key'),
  };
};
// JSON is YAML.
const write = (folder, file, config) => writeFileSync(join(folder, file), `${JSON.stringify(config, null, 2)}\n`);
const bundle = '/opt/deepcod/models/onnx/worksite';

await make('edge', OURS, async (folder) => {
  const connection = await member(folder, 'edge-1', 'worker');
  const password = randomBytes(15).toString('base64url');
  deepcod(
    ['account', 'add', 'operator', '--role', 'operator', '--accounts', join(folder, 'accounts.json')],
    `${password}\n`,
  );
  write(folder, 'edge.yaml', {
    broker: { embedded: false, ...connection },
    worker: 'edge-1',
    bundles: [bundle],
    web: {
      host: '0.0.0.0',
      port: 8080,
      accounts: join(parts, 'edge', 'accounts.json'),
      audit: '/var/lib/deepcod/audit.jsonl',
      // compose.yaml publishes the port on this machine alone; for others put https in front (deploy/proxy)
      insecure: true,
    },
    history: { folder: '/var/lib/deepcod/history' },
  });
  console.error(`The page's first account: operator, password ${password}`);
});
for (const device of devices) {
  await make(device, OURS, async (folder) => {
    write(folder, 'agent.yaml', {
      device,
      bundle,
      broker: await member(folder, device, 'device'),
      camera: { source: 'simulated', fps: 2 },
    });
  });
}
