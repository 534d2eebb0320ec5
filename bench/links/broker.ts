import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Child } from './child.js';
import type { Net } from './net.js';

export interface Broker {
  name: string;
  version: 4 | 5;
  port: number;
  close(): Promise<void>;
}

const mosquitto = () => ['mosquitto', '/usr/sbin/mosquitto'].find((path) => !spawnSync(path, ['-h']).error);

/** mosquitto on the edge's side, or the embedded broker where it is not installed; on loopback of that side. */
export async function openBroker(net: Net): Promise<Broker> {
  const path = mosquitto();
  if (path) return openMosquitto(net, path);
  process.stderr.write('mosquitto is not installed: the embedded broker, MQTT 3.1.1, takes its place\n');
  return openEmbedded(net);
}

/** The embedded broker, MQTT 3.1.1. */
export async function openEmbedded(net: Net): Promise<Broker> {
  const script = fileURLToPath(new URL('./embedded-broker.js', import.meta.url));
  const child = new Child('broker', net.command('edge', [process.execPath, script]));
  const port = await child.ask<number>({});
  return { name: 'embedded (aedes), MQTT 3.1.1', version: 4, port, close: () => child.stop() };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  await once(server, 'close');
  return port;
}

async function openMosquitto(net: Net, path: string): Promise<Broker> {
  const port = await freePort();
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-links-'));
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\nset_tcp_nodelay true\n`);
  const [program, ...args] = net.command('edge', [path, '-c', config]);
  const child: ChildProcess = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  child.stderr?.on('data', (data) => {
    said = `${said}${data}`.slice(-4000);
  });
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill('SIGKILL');
      await once(child, 'exit');
    }
    rmSync(folder, { recursive: true, force: true });
  };
  // It says "running" once it listens.
  for (let i = 0; i < 200 && !/mosquitto version .* running/.test(said); i++) {
    if (child.exitCode !== null) break;
    await sleep(50);
  }
  if (!/mosquitto version .* running/.test(said)) {
    await close();
    throw new Error(`mosquitto did not start: ${said.trim()}`);
  }
  const version = /mosquitto version (\S+)/.exec(said)?.[1];
  return { name: `mosquitto ${version}, MQTT 5`, version: 5, port, close };
}
