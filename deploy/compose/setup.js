#!/usr/bin/env node
// Prepares what compose.yaml starts: deploy/compose/setup.js SITE PARTS STATE HOST DEVICE...
// SITE: the site's authority. PARTS: a folder for the broker, the two edges and each device, each readable by that part alone.
// STATE: folders `broker` and `edge`, volumes that those two write; they get them as their own.
// HOST: the name by which others know this machine. What is there stays. Runs inside the image, as root, without a network.
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { chmodSync, chownSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openSiteCa } from '../../dist/platform/pki.js';

const [site, parts, state, host, ...devices] = process.argv.slice(2);
if (devices.length === 0) {
  console.error('usage: deploy/compose/setup.js SITE PARTS STATE HOST DEVICE...');
  process.exit(2);
}
/** The broker's and the edge's names among the containers, and on this machine. */
const hosts = (name) => [...new Set([name, 'localhost', '127.0.0.1', host])];
const BROKER = 1883;
const OURS = 1000;
const deepcod = (args, input) =>
  execFileSync(process.execPath, ['dist/scripts/deepcod.js', ...args], { input, stdio: ['pipe', 2, 2] });
/** Modes first: who gives a file away may not change it any more, having no rights but these two (compose.yaml). */
const give = (folder, user) => {
  for (const name of readdirSync(folder)) {
    chmodSync(join(folder, name), 0o400);
    chownSync(join(folder, name), user, user);
  }
  chmodSync(folder, 0o500);
  chownSync(folder, user, user);
};
/** A folder is complete or not there: a setup that was interrupted begins again. */
const make = async (name, user, fill) => {
  const folder = join(parts, name);
  if (existsSync(folder)) return;
  const fresh = `${folder}.new`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true });
  await fill(fresh);
  give(fresh, user);
  renameSync(fresh, folder);
};

chownSync(join(state, 'broker'), BROKER, BROKER);
chownSync(join(state, 'edge'), OURS, OURS);
const broker = join(parts, 'broker');
await make('broker', BROKER, (folder) => {
  deepcod([
    'broker',
    'mosquitto',
    '--site',
    site,
    '--out',
    folder,
    '--folder',
    broker,
    ...['edge-1', 'edge-2'].flatMap((name) => ['--worker', name]),
    ...hosts('broker').flatMap((name) => ['--host', name]),
  ]);
  // The edges', of which the broker needs nothing; they get theirs below.
  rmSync(join(folder, 'clients'), { recursive: true });
});
const ca = await openSiteCa(site);
const put = (folder, name, { certificate, key }) => {
  writeFileSync(join(folder, `${name}.crt`), certificate);
  writeFileSync(join(folder, `${name}.key`), key);
};
/** A part's certificate, and its connection to the broker. */
const member = async (folder, name, kind) => {
  put(folder, 'client', await ca.issue({ name, kind }));
  writeFileSync(join(folder, 'ca.crt'), ca.certificate);
  const file = (of) => join(parts, name, of);
  return {
    url: 'mqtts://broker:8883',
    version: '5',
    ca_file: file('ca.crt'),
    cert_file: file('client.crt'),
    key_file: file('client.key'),
  };
};
// JSON is YAML.
const write = (folder, file, config) => writeFileSync(join(folder, file), `${JSON.stringify(config, null, 2)}\n`);
const bundle = '/opt/deepcod/models/onnx/worksite';

await make('edge-1', OURS, async (folder) => {
  put(folder, 'page', await ca.issue({ name: host, kind: 'server', hosts: hosts('edge') }));
  const password = randomBytes(15).toString('base64url');
  deepcod(
    ['account', 'add', 'operator', '--role', 'operator', '--accounts', join(folder, 'accounts.json')],
    `${password}\n`,
  );
  const file = (of) => join(parts, 'edge-1', of);
  write(folder, 'edge.yaml', {
    broker: { embedded: false, ...(await member(folder, 'edge-1', 'worker')) },
    worker: 'edge-1',
    bundles: [bundle],
    web: {
      host: '0.0.0.0',
      tls: { certificate: file('page.crt'), key: file('page.key') },
      accounts: file('accounts.json'),
      audit: '/var/lib/deepcod/audit.jsonl',
    },
    history: { folder: '/var/lib/deepcod/history' },
  });
  console.error(`The page's first account: operator, password ${password}`);
});
// A worker and nothing else: what it serves at 8080 is for its own container.
await make('edge-2', OURS, async (folder) =>
  write(folder, 'edge.yaml', {
    broker: { embedded: false, ...(await member(folder, 'edge-2', 'worker')) },
    worker: 'edge-2',
    bundles: [bundle],
    history: { enabled: false },
  }),
);
for (const [index, device] of devices.entries()) {
  await make(device, OURS, async (folder) => {
    write(folder, 'agent.yaml', {
      device,
      bundle,
      broker: await member(folder, device, 'device'),
      // Each at a work site of its own, and deciding as a device eight times slower than this machine would (simulated).
      camera: { source: 'simulated', fps: 2, seed: index + 1 },
      profile: { device_scale: 8 },
      // Every second one sends the picture itself, so that the page has pictures to show too.
      ...(index % 2 === 1 && { partition: 'jpeg', pictures: true }),
      // On the container's loopback, for its health check.
      metrics: { port: 9464 },
    });
  });
}
