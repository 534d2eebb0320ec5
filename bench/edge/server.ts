import { type ChildProcess, fork, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import mqtt from 'mqtt';
import { DeepcodError } from '../../platform/errors.js';
import { packageRoot } from '../../platform/root.js';
import { type EdgeStatus, parseStatus } from '../../protocol/status.js';

export type BrokerKind = 'embedded' | 'mosquitto';

export const mosquitto = ['mosquitto', '/usr/sbin/mosquitto'].find(
  (path) => spawnSync(path, ['-h']).error === undefined,
);

export interface EdgeServer {
  url: string;
  version: 4 | 5;
  edge: Process;
  /** The broker, where it is a process of its own. */
  broker?: Process;
  /** Its latest status. */
  status(): EdgeStatus;
  stop(): Promise<void>;
}

/** Starts an edge, and mosquitto if wanted, as processes of their own. */
export async function startServer(
  kind: BrokerKind,
  bundle: string,
  inference: Record<string, unknown>,
): Promise<EdgeServer> {
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-edge-bench-'));
  const own = kind === 'mosquitto' ? await startMosquitto() : undefined;
  const port = own?.port ?? (await freePort());
  const url = `mqtt://127.0.0.1:${port}`;
  const config = join(folder, 'edge.yaml');
  const settings = {
    broker: kind === 'mosquitto' ? { embedded: false, url } : { port },
    bundles: [bundle],
    web: { enabled: false },
    inference: { measure: false, ...inference },
    status_interval_s: 0.5,
    log: { level: 'warn' },
  };
  writeFileSync(config, JSON.stringify(settings));
  const main = join(packageRoot(), 'dist/edge/main.js');
  // Settings of whoever measures are not the edge's.
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DEEPCOD_')));
  const edge = new Process(
    spawn(process.execPath, [main, '--config', config], { stdio: ['ignore', 'ignore', 2], env }),
  );
  await listening(port);
  const watcher = await mqtt.connectAsync(url, { protocolVersion: 4 });
  let status: EdgeStatus = { online: false };
  watcher.on('message', (_, payload) => {
    status = parseStatus(payload);
  });
  await watcher.subscribeAsync('deepcod/edge/+/status');
  for (let i = 0; i < 600 && !status.online; i++) await pause(50);
  if (!status.online) throw new DeepcodError('bench', 'the edge did not come up');
  return {
    url,
    version: kind === 'mosquitto' ? 5 : 4,
    edge,
    broker: own?.process,
    status: () => status,
    async stop() {
      await watcher.endAsync(true);
      await edge.stop();
      await own?.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** mosquitto on a free port of this machine, open to everybody on it. */
export async function startMosquitto(): Promise<{
  url: string;
  port: number;
  process: Process;
  stop(): Promise<void>;
}> {
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-mosquitto-'));
  const port = await freePort();
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(config, `listener ${port} 127.0.0.1\nallow_anonymous true\n`);
  const process = new Process(spawn(mosquitto as string, ['-c', config], { stdio: 'ignore' }));
  await listening(port);
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    process,
    async stop() {
      await process.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** A process whose time and memory are watched. */
export class Process {
  constructor(readonly child: ChildProcess) {}

  /** Processor time so far, seconds. */
  cpu(): number {
    const stat = readFileSync(`/proc/${this.child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / 100;
  }

  /** Memory in use, MB. */
  megabytes(): number {
    const kb = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${this.child.pid}/status`, 'utf8'))?.[1] ?? '0';
    return Math.round(Number(kb) / 1024);
  }

  async stop(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const ended = once(this.child, 'exit');
    this.child.kill('SIGTERM');
    const timer = setTimeout(() => this.child.kill('SIGKILL'), 10_000);
    await ended;
    clearTimeout(timer);
  }
}

/** Gives a child process of this bench its task and waits for what it reports. @param told of what it says meanwhile */
export async function runChild<T>(script: string, task: unknown, told: (word: string) => void = () => {}): Promise<T> {
  const child = fork(new URL(script, import.meta.url), [], { serialization: 'advanced' });
  let report: T | undefined;
  child.on('message', (message) => {
    if (typeof message === 'string') told(message);
    else report = message as T;
  });
  child.send(task as object);
  const [code] = await once(child, 'exit');
  if (report === undefined) throw new DeepcodError('bench', `${script} ended with ${code}`);
  return report;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

async function listening(port: number): Promise<void> {
  for (let i = 0; i < 600; i++) {
    const open = await new Promise<boolean>((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
      socket.on('connect', () => socket.destroy());
    });
    if (open) return;
    await pause(50);
  }
  throw new DeepcodError('bench', `nothing listens on port ${port}`);
}
