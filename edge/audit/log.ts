import { mkdirSync } from 'node:fs';
import { type FileHandle, open, readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { Log } from '../../platform/log.js';

/** One thing that somebody did, or tried to. */
export interface AuditEntry {
  /** ISO 8601, UTC. */
  time: string;
  event: 'login' | 'login_failed' | 'logout' | 'command' | 'denied' | 'account' | 'lost';
  /** Who; at a failed login, who it was said to be. */
  user: string;
  /** Where from. */
  address?: string;
  method?: string;
  /** The route, with its parameters' names; their values are in `params`. */
  route?: string;
  params?: unknown;
  status?: number;
  detail?: unknown;
}

/** Of one file; then the next begins, and the oldest goes. */
const FILE_BYTES = 1024 * 1024;
const FILES = 5;
const ENTRY_BYTES = 4096;
/** Entries that wait for the disk. */
const WAITING = 1000;

/** The files, the newest first: `audit.jsonl`, `audit.jsonl.1`, ... */
const name = (file: string, index: number): string => (index === 0 ? file : `${file}.${index}`);

/**
 * An append-only file of JSON lines, readable by its owner alone, some 5 MB in five files. What comes at the same time
 * is one write, on the disk before the next. When power fails in the middle of one, a line may be lost, and none before it.
 */
export class AuditLog {
  #waiting: string[] = [];
  /** The writing that is under way. */
  #writing: Promise<void> | undefined;
  #lost = 0;
  #handle: FileHandle | undefined;
  #size = 0;

  private constructor(
    readonly file: string,
    readonly log: Log | undefined,
  ) {}

  /** @throws DeepcodError `audit_unwritable` (exit code 2) */
  static async open(file: string, log?: Log): Promise<AuditLog> {
    const audit = new AuditLog(file, log);
    try {
      mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
      await audit.#open();
    } catch (error) {
      const text = `the audit log cannot be written: ${(error as Error).message}`;
      throw new DeepcodError('audit_unwritable', text, 'Set web.audit to a file that may be written.', ExitCode.usage);
    }
    return audit;
  }

  /** Never throws and never waits. What cannot be written is logged, and counted in a later entry. */
  add(entry: Omit<AuditEntry, 'time'>): void {
    if (this.#waiting.length >= WAITING) {
      this.#lost++;
      return;
    }
    this.#waiting.push(lineOf({ time: new Date().toISOString(), ...entry }));
    this.#writing ??= this.#writeAll();
  }

  /** The last entries, the oldest of them first. */
  async last(count: number): Promise<AuditEntry[]> {
    await this.#writing;
    return readAudit(this.file, count);
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#handle?.close();
    this.#handle = undefined;
  }

  /** What came while the disk was busy goes together. */
  async #writeAll(): Promise<void> {
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const lines = this.#waiting;
      const lost = this.#lost;
      this.#waiting = [];
      this.#lost = 0;
      if (lost > 0) lines.push(lineOf({ time: new Date().toISOString(), event: 'lost', user: '', detail: lost }));
      try {
        await this.#write(Buffer.from(lines.join('')));
      } catch (error) {
        this.#lost += lost + lines.length;
        this.log?.error('entries of the audit log were lost', { error, entries: lines.join('').slice(0, ENTRY_BYTES) });
      }
    }
    this.#writing = undefined;
  }

  async #open(): Promise<void> {
    this.#handle = await open(this.file, 'a', 0o600);
    this.#size = (await this.#handle.stat()).size;
    const whole = this.#size === 0 || (await endsLine(this.file, this.#size));
    // The rest of a line that power failed in must not swallow the next.
    if (!whole) this.#size += (await this.#handle.write('\n')).bytesWritten;
  }

  async #write(text: Buffer): Promise<void> {
    if (this.#size > 0 && this.#size + text.length > FILE_BYTES) await this.#rotate();
    await this.#handle?.write(text);
    await this.#handle?.datasync();
    this.#size += text.length;
  }

  async #rotate(): Promise<void> {
    await this.#handle?.close();
    for (let i = FILES - 2; i >= 0; i--) {
      await rename(name(this.file, i), name(this.file, i + 1)).catch((error: NodeJS.ErrnoException) => {
        if (error.code !== 'ENOENT') throw error;
      });
    }
    await this.#open();
  }
}

/** The last entries of a log, the oldest of them first. Lines that are none (a power failure) are left out. */
export async function readAudit(file: string, count: number): Promise<AuditEntry[]> {
  let entries: AuditEntry[] = [];
  for (let i = 0; i < FILES && entries.length < count; i++) {
    const text = await readFile(name(file, i), 'utf8').catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return '';
      throw new DeepcodError('audit_unreadable', `the audit log cannot be read: ${error.message}`);
    });
    entries = [...text.split('\n').flatMap(parsed), ...entries];
  }
  return entries.slice(Math.max(0, entries.length - count));
}

function lineOf(entry: AuditEntry): string {
  const line = JSON.stringify(entry);
  if (line.length < ENTRY_BYTES) return `${line}\n`;
  const { time, event, user, address, method, route, status } = entry;
  const short = { time, event, user: user.slice(0, 100), address, method, route: route?.slice(0, 200), status };
  return `${JSON.stringify({ ...short, detail: 'too long' })}\n`;
}

function parsed(line: string): AuditEntry[] {
  try {
    const entry = JSON.parse(line) as AuditEntry;
    return typeof entry?.time === 'string' && typeof entry.event === 'string' ? [entry] : [];
  } catch {
    return [];
  }
}

async function endsLine(file: string, size: number): Promise<boolean> {
  const handle = await open(file, 'r');
  const { buffer } = await handle.read(Buffer.alloc(1), 0, 1, size - 1);
  await handle.close();
  return buffer[0] === 0x0a;
}
