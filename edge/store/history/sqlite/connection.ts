import { Worker } from 'node:worker_threads';
import { DatabaseError } from '../tables.js';
import type { FromThread, Statement, ThreadSetup, ToThread } from './messages.js';

interface Waiting {
  done(answer: { rows: unknown[]; changes: number }): void;
  fail(error: Error): void;
}

/** A SQLite connection in a thread of its own: a slow disk never holds up the main thread. */
export class SqliteThread {
  readonly #worker: Worker;
  /** In the order of the questions; the first is the answer to the start itself. */
  readonly #waiting: Waiting[] = [];
  #ended: Error | undefined;

  private constructor(setup: ThreadSetup) {
    this.#worker = new Worker(new URL('./thread.js', import.meta.url), { workerData: setup });
    this.#worker.on('message', (answer: FromThread) => {
      const waiting = this.#waiting.shift();
      if ('error' in answer) waiting?.fail(new DatabaseError(answer.error.message, answer.error.code));
      else waiting?.done(answer);
    });
    this.#worker.on('error', (error) => this.#end(error));
    this.#worker.on('exit', () => this.#end(new Error('the database thread has ended')));
  }

  /** Opens the file. @throws DatabaseError */
  static async open(setup: ThreadSetup): Promise<SqliteThread> {
    const thread = new SqliteThread(setup);
    try {
      await thread.#answer();
    } catch (error) {
      await thread.#worker.terminate();
      throw error;
    }
    return thread;
  }

  query({ sql, parameters }: Statement): Promise<{ rows: unknown[]; changes: number }> {
    return this.#ask({ op: 'query', sql, parameters });
  }

  /** All or none. */
  async write(statements: readonly Statement[]): Promise<void> {
    await this.#ask({ op: 'write', statements: statements.map(({ sql, parameters }) => ({ sql, parameters })) });
  }

  /** Gives back so many free pages, at most. */
  async compact(pages: number): Promise<void> {
    await this.#ask({ op: 'compact', pages });
  }

  async limit(maxBytes: number): Promise<void> {
    await this.#ask({ op: 'limit', maxBytes });
  }

  async close(): Promise<void> {
    if (this.#ended) return;
    const exited = new Promise<void>((done) => this.#worker.once('exit', () => done()));
    await this.#ask({ op: 'close' });
    await exited;
  }

  #ask(message: ToThread): Promise<{ rows: unknown[]; changes: number }> {
    if (this.#ended) return Promise.reject(new DatabaseError(this.#ended.message, 'SQLITE_MISUSE'));
    this.#worker.postMessage(message);
    return this.#answer();
  }

  #answer(): Promise<{ rows: unknown[]; changes: number }> {
    return new Promise((done, fail) => this.#waiting.push({ done, fail }));
  }

  #end(error: Error): void {
    this.#ended ??= error;
    for (const { fail } of this.#waiting.splice(0)) fail(new DatabaseError(error.message, 'SQLITE_MISUSE'));
  }
}
