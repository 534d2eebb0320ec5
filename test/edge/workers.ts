import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Program, start } from '../platform/process.js';
import { tinyBundle } from './harness.js';

/** Workers as processes of their own at one broker. */
export class Workers {
  readonly #programs = new Map<string, Program>();

  private constructor(readonly folder: string) {}

  /** @param broker its url @param names one worker each */
  static async start(broker: string, names: readonly string[]): Promise<Workers> {
    const workers = new Workers(await mkdtemp(join(tmpdir(), 'deepcod-workers-')));
    for (const name of names) {
      const config = {
        broker: { embedded: false, url: broker },
        worker: name,
        bundles: [tinyBundle],
        web: { enabled: false },
        inference: { provider: 'cpu', threads: 1, measure: false },
        status_interval_s: 0.5,
      };
      await writeFile(workers.#config(name), JSON.stringify(config));
    }
    await Promise.all(names.map((name) => workers.start(name)));
    return workers;
  }

  /** Waits until it is at the broker. */
  async start(name: string): Promise<void> {
    const program = start('edge/main.js', ['--config', this.#config(name)]);
    this.#programs.set(name, program);
    await program.says(/connected to broker/);
  }

  /** Without a word. */
  async kill(name: string): Promise<void> {
    const program = this.#programs.get(name);
    program?.child.kill('SIGKILL');
    await program?.ended();
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#programs.keys()].map((name) => this.kill(name)));
    await rm(this.folder, { recursive: true, force: true });
  }

  #config(name: string): string {
    return join(this.folder, `${name}.yaml`);
  }
}
