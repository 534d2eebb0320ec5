import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';

/** A broker for tests that can be stopped and started again on its port. */
export interface TestBroker {
  readonly url: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** A port that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The embedded kind: MQTT 3.1.1 only. */
export async function aedesBroker(): Promise<TestBroker> {
  const port = await freePort();
  let broker: Aedes | undefined;
  let server: Server | undefined;
  const sockets = new Set<Socket>();
  return {
    url: `mqtt://127.0.0.1:${port}`,
    async start() {
      const started = await Aedes.createBroker();
      broker = started;
      server = createServer((socket) => {
        sockets.add(socket);
        socket.on('close', () => sockets.delete(socket));
        started.handle(socket);
      }).listen(port, '127.0.0.1');
      await once(server, 'listening');
    },
    async stop() {
      for (const socket of sockets) socket.destroy();
      await new Promise<void>((resolve) => (server ? server.close(() => resolve()) : resolve()));
      await new Promise<void>((resolve) => (broker ? broker.close(() => resolve()) : resolve()));
    },
  };
}

const mosquittoPath = ['mosquitto', '/usr/sbin/mosquitto'].find((path) => spawnSync(path, ['-h']).error === undefined);

/** Why mosquitto cannot be tested with here, or false. */
export const withoutMosquitto = mosquittoPath ? false : 'mosquitto is not installed';

/** The real thing, MQTT 3.1.1 and 5. @param settings lines for its configuration besides the listener */
export async function mosquittoBroker(settings: string[] = ['allow_anonymous true']): Promise<TestBroker> {
  const port = await freePort();
  const dir = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const config = join(dir, 'mosquitto.conf');
  writeFileSync(config, [`listener ${port} 127.0.0.1`, ...settings, ''].join('\n'));
  return mosquittoOn(port, config);
}

/** The same with a configuration that is there. @param port where it listens */
export function mosquittoOn(port: number, config: string): TestBroker {
  let child: ReturnType<typeof spawn> | undefined;
  return {
    url: `mqtt://127.0.0.1:${port}`,
    async start() {
      child = spawn(mosquittoPath as string, ['-c', config], { stdio: 'ignore' });
      for (let i = 0; i < 200; i++) {
        const open = await new Promise<boolean>((resolve) => {
          const socket = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
          socket.on('connect', () => socket.destroy());
        });
        if (open) return;
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      throw new Error('mosquitto did not start');
    },
    async stop() {
      if (child && child.exitCode === null) {
        child.kill('SIGKILL');
        await once(child, 'exit');
      }
      child = undefined;
    },
  };
}
