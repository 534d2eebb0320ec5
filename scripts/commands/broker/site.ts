import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { replaceFile } from '../../../platform/files/replace.js';
import { openSiteCa, type Revocations, readRevocationList, signRevocations, writeOnce } from '../../../platform/pki.js';

/** A site's authority, with the list of what it took back. */
export class Site {
  private constructor(
    readonly folder: string,
    readonly certificate: string,
    readonly issue: Awaited<ReturnType<typeof openSiteCa>>['issue'],
  ) {}

  /** Opens the site in a folder, or makes it: `ca.crt`, `ca.key`, `ca.crl`. @throws DeepcodError */
  static async open(folder: string): Promise<Site> {
    const { certificate, issue } = await openSiteCa(folder);
    const site = new Site(folder, certificate, issue);
    const empty = signRevocations({ certificate, key: await site.#key() }, { revoked: new Map(), number: 1 });
    await writeOnce(join(folder, 'ca.crl'), empty, 0o644);
    return site;
  }

  /** What goes to every broker. */
  async copyTo(folder: string): Promise<void> {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    for (const name of ['ca.crt', 'ca.crl'])
      replaceFile(join(folder, name), await readFile(join(this.folder, name)), 0o644);
  }

  /** A certificate and its key as files `NAME.crt` and `NAME.key`, unless they are there already. */
  async write(folder: string, file: string, request: Parameters<Site['issue']>[0]): Promise<void> {
    const name = join(folder, file);
    const there = await readFile(`${name}.crt`).catch(() => undefined);
    if (there) return;
    const { certificate, key } = await this.issue(request);
    if (!(await writeOnce(`${name}.key`, key, 0o600))) {
      const text = `${name}.key is there, without its certificate`;
      throw new DeepcodError('key_without_certificate', text, 'Remove it, and say this again.', ExitCode.usage);
    }
    await writeOnce(`${name}.crt`, certificate, 0o644);
  }

  async revocations(): Promise<Revocations> {
    const file = join(this.folder, 'ca.crl');
    try {
      return readRevocationList(await readFile(file, 'utf8'), this.certificate);
    } catch (error) {
      const hint = 'Bring it back from your copy: a new one would forget what was revoked.';
      throw new DeepcodError('site_crl_damaged', `${file} ${(error as Error).message}`, hint, ExitCode.usage);
    }
  }

  /** @param serials hexadecimal */
  async revoke(serials: readonly string[], now = new Date()): Promise<Revocations> {
    const { revoked, number } = await this.revocations();
    const all = new Map(revoked);
    for (const serial of serials) if (!all.has(serial)) all.set(serial, now);
    const list = signRevocations(
      { certificate: this.certificate, key: await this.#key() },
      { revoked: all, number: number + 1 },
      now,
    );
    const file = join(this.folder, 'ca.crl');
    replaceFile(file, list, 0o644);
    return { revoked: all, number: number + 1 };
  }

  #key(): Promise<string> {
    return readFile(join(this.folder, 'ca.key'), 'utf8');
  }
}
