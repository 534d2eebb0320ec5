import { constants } from 'node:os';
import { Seldom } from '../log/seldom.js';
import type { Log } from '../log.js';
import { openLibc } from './libc.js';

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_CLOEXEC = 0o2000000;
/** A full socket loses the message instead of stopping frames. */
const MSG_DONTWAIT = 0x40;
const MSG_NOSIGNAL = 0x4000;
/** Bytes of sun_path. */
const PATH_BYTES = 108;
/** What systemd takes at most of a status line is more; nobody reads more than this. */
const STATUS_CHARACTERS = 200;

/** What a service tells the manager that started it: sd_notify(3). Nothing here throws, blocks, or waits. */
export interface Notifier {
  /** Whether anybody listens. */
  readonly active: boolean;
  /** After so many ms without `watchdog()` the service is killed and started again; undefined: nobody watches. */
  readonly watchdogMs: number | undefined;
  /** The service does its work now. Also ends `reloading`. */
  ready(): void;
  /** One line for `systemctl status`. */
  status(text: string): void;
  /** The configuration is being read again. */
  reloading(): void;
  stopping(): void;
  /** The work gets on. */
  watchdog(): void;
}

/** Nobody listens. */
export const silentNotifier: Notifier = {
  active: false,
  watchdogMs: undefined,
  ready() {},
  status() {},
  reloading() {},
  stopping() {},
  watchdog() {},
};

/**
 * The manager that started this process, or one that hears nothing where none did. The variables are taken out of the
 * environment: a child must not speak for this process.
 */
export function openNotifier(log: Log, env: NodeJS.ProcessEnv = process.env): Notifier {
  const { NOTIFY_SOCKET: path, WATCHDOG_USEC: usec, WATCHDOG_PID: pid } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (!path) return silentNotifier;
  let send: (text: string) => void;
  try {
    send = openSocket(path, log);
  } catch (error) {
    log.warn('the service manager cannot be told anything', { socket: path, error });
    return silentNotifier;
  }
  const isWatched = /^[1-9]\d*$/.test(usec ?? '') && (pid === undefined || Number(pid) === process.pid);
  return {
    active: true,
    watchdogMs: isWatched ? Number(usec) / 1000 : undefined,
    ready: () => send('READY=1'),
    status: (text) => send(`STATUS=${text.replaceAll(/\s+/g, ' ').slice(0, STATUS_CHARACTERS)}`),
    // CLOCK_MONOTONIC, which hrtime reads too: systemd tells by it which READY=1 belongs to which reload
    reloading: () => send(`RELOADING=1\nMONOTONIC_USEC=${process.hrtime.bigint() / 1000n}`),
    stopping: () => send('STOPPING=1'),
    watchdog: () => send('WATCHDOG=1'),
  };
}

/** @throws for an address that cannot be one, and where the C library cannot be called */
function openSocket(path: string, log: Log): (text: string) => void {
  const address = socketAddress(path);
  const libc = openLibc();
  const socket = libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (socket < 0) throw new Error(`no socket: ${errorName(libc.errno())}`);
  const seldom = new Seldom();
  return (text) => {
    const data = Buffer.from(text);
    const sent = libc.sendto(socket, data, data.length, MSG_DONTWAIT | MSG_NOSIGNAL, address, address.length);
    if (sent === data.length) return;
    const error = errorName(libc.errno());
    if (seldom.now(error)) log.warn('the service manager could not be told', { what: text.split('=')[0], error });
  };
}

/**
 * `struct sockaddr_un` of a path, or of a name in the abstract namespace (`@name`).
 * @throws Error for what is neither, or too long
 */
export function socketAddress(path: string): Uint8Array {
  const isAbstract = path.startsWith('@');
  if (!isAbstract && !path.startsWith('/')) throw new Error(`${path}: neither a path nor an abstract name`);
  const name = Buffer.from(isAbstract ? `\0${path.slice(1)}` : `${path}\0`);
  if (name.length > PATH_BYTES) throw new Error(`${path}: longer than ${PATH_BYTES - 1} bytes`);
  const family = Buffer.alloc(2);
  family.writeUInt16LE(AF_UNIX);
  return Buffer.concat([family, name]);
}

const errorName = (number: number): string =>
  Object.entries(constants.errno).find(([, value]) => value === number)?.[0] ?? `error ${number}`;
