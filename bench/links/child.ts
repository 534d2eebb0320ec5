import { type ChildProcess, spawn } from 'node:child_process';

/**
 * A process of ours that answers one request after the other over Node's channel; it ends when the channel closes, so none
 * outlives the bench.
 */
export class Child {
  readonly #process: ChildProcess;
  readonly #name: string;
  readonly #ended: Promise<string>;

  /** @param command program and arguments; the program may be one that starts Node in the same process (`ip netns exec`) */
  constructor(name: string, command: readonly string[]) {
    this.#name = name;
    this.#process = spawn(command[0], command.slice(1), { stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    this.#ended = new Promise((resolve) => {
      this.#process.on('error', (error) => resolve(error.message));
      this.#process.on('exit', (code, signal) => resolve(`ended with ${signal ?? code}`));
    });
  }

  /** @throws Error what the process says, or that it has ended */
  async ask<T>(request: object): Promise<T> {
    const answer = new Promise<{ value?: T; error?: string }>((resolve) => {
      this.#process.once('message', (message) => resolve(message as { value?: T; error?: string }));
    });
    // Where the channel is gone already, the end says why.
    this.#process.send(request, () => {});
    const ended = this.#ended.then((how) => ({ value: undefined, error: how }));
    const { value, error } = await Promise.race([answer, ended]);
    if (error !== undefined) throw new Error(`${this.#name}: ${error}`);
    return value as T;
  }

  async stop(): Promise<void> {
    this.#process.kill('SIGKILL');
    await this.#ended;
  }
}

/** In such a process: answers each request with what `handle` returns. */
export function answer<T>(handle: (request: T) => Promise<unknown>): void {
  process.on('disconnect', () => process.exit());
  // The bench decides when to end, also where a terminal's Ctrl-C reaches all of them.
  process.on('SIGINT', () => {});
  process.on('message', (request: T) => {
    handle(request).then(
      (value) => process.send?.({ value }),
      (error: unknown) => process.send?.({ error: String(error) }),
    );
  });
}
