import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable } from 'node:stream';
import { findProgram } from './program.js';
import type { Ending } from './trouble.js';

/** How long a program may take to end when it is asked to, ms; then it is killed. */
const PATIENCE_MS = 400;
/** How long a killed one is waited for, ms: one that hangs in a driver cannot even die. */
const KILLED_PATIENCE_MS = 500;
const MOST_ERRORS = 4096;

/**
 * A program that gives pictures on its standard output. Started without a shell, in a session of its own (so that Ctrl+C in
 * the agent's terminal is the agent's to answer), and tied to this process: whatever ends the agent, SIGKILL too, the system
 * kills the program then (PR_SET_PDEATHSIG, by setpriv of util-linux; without it the closed pipe ends it with its next picture).
 */
export class CameraChild {
  readonly #child: ChildProcess;
  readonly #program: string;
  readonly ended: Promise<Ending>;
  #errors = '';
  #over = false;

  /**
   * @param program path
   * @param input written to its standard input, which is closed then
   * @param onErrors told of what it writes to standard error
   */
  constructor(program: string, args: readonly string[], input?: string, onErrors: (text: string) => void = () => {}) {
    this.#program = program;
    const setpriv = findProgram('setpriv');
    const [command, before] = setpriv ? [setpriv, ['--pdeathsig', 'KILL', '--', program]] : [program, []];
    this.#child = spawn(command, [...before, ...args], {
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true,
    });
    const { stdin, stderr } = this.#child;
    stdin?.on('error', () => {});
    stdin?.end(input);
    this.stdout.on('error', () => {});
    stderr?.on('error', () => {});
    stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#errors = (this.#errors + text).slice(-MOST_ERRORS);
      onErrors(text);
    });
    this.ended = new Promise((done) => {
      const end = (code: number | null, signal: NodeJS.Signals | null) => {
        this.#over = true;
        done({ errors: this.#errors, code, signal });
      };
      this.#child.once('error', (error) => {
        this.#errors += `cannot start ${this.#program}: ${error.message}`;
        if (this.#child.pid === undefined) end(null, null);
      });
      this.#child.once('close', end);
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  get stdout(): Readable {
    return this.#child.stdout as Readable;
  }

  /** The last of what it wrote to standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Ends it: SIGINT, on which rpicam-vid and ffmpeg give the camera back in order, then SIGKILL. Takes a second at most. */
  async close(): Promise<void> {
    this.stdout.resume();
    if (this.#over) return;
    this.#child.kill('SIGINT');
    if (await this.#within(PATIENCE_MS)) return;
    this.#child.kill('SIGKILL');
    if (await this.#within(KILLED_PATIENCE_MS)) return;
    this.stdout.destroy();
    this.#child.stderr?.destroy();
    this.#child.unref();
  }

  async #within(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<false>((done) => {
      timer = setTimeout(() => done(false), ms);
    });
    const over = await Promise.race([this.ended.then(() => true as const), late]);
    clearTimeout(timer);
    return over;
  }
}
