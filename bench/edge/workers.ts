import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { packageRoot } from '../../platform/root.js';

/** Workers as processes of their own at one broker. */
export class Workers {
  readonly #children = new Map<string, ChildProcess>();

  private constructor(readonly folder: string) {}

  /** @param broker its url @param names one worker each */
  static async start(broker: string, bundle: string, names: readonly string[]): Promise<Workers> {
    const workers = new Workers(await mkdtemp(join(tmpdir(), 'deepcod-workers-')));
    for (const name of names) {
      const config = {
        broker: { embedded: false, url: broker },
        worker: name,
        bundles: [bundle],
        web: { enabled: false },
        inference: { provider: 'cpu', threads: 1, measure: false },
        status_interval_s: 0.5,
      };
      await writeFile(workers.#config(name), JSON.stringify(config));
    }
    await Promise.all(names.map((name) => workers.start(name)));
    return workers;
  }

  /** Waits until it is at the broker. @throws Error when it ends instead */
  async start(name: string): Promise<void> {
    const main = join(packageRoot(), 'dist/edge/main.js');
    const child = spawn(process.execPath, [main, '--config', this.#config(name)], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    this.#children.set(name, child);
    let said = '';
    await new Promise<void>((resolve, reject) => {
      child.stderr?.on('data', (chunk: Buffer) => {
        said = `${said}${chunk}`.slice(-4096);
        if (/connected to broker/.test(said)) resolve();
      });
      child.once('exit', () => reject(new Error(`worker ${name} ended: ${said}`)));
    });
  }

  /** Without a word. */
  async kill(name: string): Promise<void> {
    const child = this.#children.get(name);
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#children.keys()].map((name) => this.kill(name)));
    await rm(this.folder, { recursive: true, force: true });
  }

  #config(name: string): string {
    return join(this.folder, `${name}.yaml`);
  }
}
