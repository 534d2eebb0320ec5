import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { readdir, readFile, readlink, statfs } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { OpenCamera } from '../../../agent/camera/camera.js';
import { openCamera } from '../../../agent/camera/index.js';
import { type AskFirmware, vcgencmd } from '../../../agent/health/system/firmware.js';

/** How another program ended. */
export interface Ran {
  code: number | null;
  signal: NodeJS.Signals | null;
  stdout: string;
  stderr: string;
  /** It is not installed, or did not end in time. */
  problem?: 'missing' | 'timeout';
}

/** Room on a file system. */
export interface Space {
  bytes: number;
  freeBytes: number;
  files: number;
  freeFiles: number;
}

/** Everything that a check may touch: on the device the real things, in tests folders and stand-ins. */
export interface Environment {
  /** Folder that stands for /: /proc, /sys, /etc, /run are read below it. */
  root: string;
  variables: NodeJS.ProcessEnv;
  node: { path: string; version: string; arch: string };
  /** Script that is run by Node.js for what may crash (child.ts). */
  child: string;
  /** 0 is root. */
  uid: number;
  gids: number[];
  /** Milliseconds since 1970. */
  now(): number;
  /** Runs a program without a shell; never rejects. */
  run(command: string, args: readonly string[], timeoutMs: number): Promise<Ran>;
  lookup(host: string): Promise<string[]>;
  /** Opens a connection; rejects with the system's error. */
  connect(host: string, port: number, signal: AbortSignal): Promise<Socket>;
  space(path: string): Promise<Space>;
  openCamera: OpenCamera;
  askFirmware: AskFirmware;
}

/** Output of a program is cut here: nothing that doctor asks for is longer. */
const OUTPUT_MAX = 4 * 2 ** 20;

/** This machine. */
export function thisMachine(): Environment {
  return {
    root: '/',
    variables: process.env,
    node: { path: process.execPath, version: process.versions.node, arch: process.arch },
    child: fileURLToPath(new URL('./child.js', import.meta.url)),
    uid: process.getuid?.() ?? -1,
    gids: process.getgroups?.() ?? [],
    now: Date.now,
    run: runProgram,
    lookup: async (host) => (await lookup(host, { all: true })).map(({ address }) => address),
    connect: openSocket,
    async space(path) {
      const { bsize, blocks, bavail, files, ffree } = await statfs(path);
      return { bytes: bsize * blocks, freeBytes: bsize * bavail, files, freeFiles: ffree };
    },
    openCamera,
    askFirmware: vcgencmd,
  };
}

/** @see Environment.run */
export function runProgram(command: string, args: readonly string[], timeoutMs: number): Promise<Ran> {
  return new Promise((resolve) => {
    const options = {
      timeout: timeoutMs,
      killSignal: 'SIGKILL' as const,
      maxBuffer: OUTPUT_MAX,
      // Messages are matched: they must not be translated.
      env: { ...process.env, LC_ALL: 'C' },
    };
    execFile(command, args, options, (error, stdout, stderr) => {
      const failed = error as (NodeJS.ErrnoException & { killed?: boolean; signal?: NodeJS.Signals }) | null;
      const code: unknown = failed ? failed.code : 0;
      resolve({
        code: typeof code === 'number' ? code : null,
        signal: failed?.signal ?? null,
        stdout,
        stderr,
        ...((code === 'ENOENT' || code === 'EACCES') && { problem: 'missing' as const }),
        ...(failed?.killed && { problem: 'timeout' as const }),
      });
    });
  });
}

function openSocket(host: string, port: number, signal: AbortSignal): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port, signal });
    socket.once('connect', () => resolve(socket));
    socket.once('error', reject);
  });
}

/** A file below the root without its last line break, or undefined when it cannot be read. */
export async function read(env: Environment, path: string): Promise<string | undefined> {
  try {
    // Device tree strings end with a zero byte.
    return (await readFile(join(env.root, path), 'utf8')).replace(/[\n\0]+$/, '');
  } catch {
    return undefined;
  }
}

/** Names in a folder below the root; empty when it cannot be read. */
export async function list(env: Environment, path: string): Promise<string[]> {
  return readdir(join(env.root, path)).catch(() => []);
}

/** Where a link below the root points to, or undefined. */
export async function link(env: Environment, path: string): Promise<string | undefined> {
  return readlink(join(env.root, path)).catch(() => undefined);
}

/** "Raspberry Pi 4 Model B Rev 1.4", or undefined on other machines. */
export const boardModel = (env: Environment): Promise<string | undefined> => read(env, '/proc/device-tree/model');

/** `key=value` lines (systemctl show, timedatectl show). */
export function properties(text: string): Record<string, string> {
  const pairs = text.split('\n').flatMap((line) => {
    const at = line.indexOf('=');
    return at > 0 ? [[line.slice(0, at), line.slice(at + 1)] as const] : [];
  });
  return Object.fromEntries(pairs);
}
