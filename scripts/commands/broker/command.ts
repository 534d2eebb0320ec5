import { readFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DEFAULT_DISCOVERY } from '../../../edge/broker/grants.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { replaceFile } from '../../../platform/files/replace.js';
import { usageError } from '../../../platform/main.js';
import { flag, numberOption, parseOptionsAndNames, text, texts } from '../../../platform/options.js';
import { didYouMean } from '../../../platform/suggest.js';
import { DEFAULT_BASE, isDeviceName, isWorkerName, Topics } from '../../../protocol/topics.js';
import type { Members } from './access.js';
import { embeddedFiles } from './embedded.js';
import { emqxFiles } from './emqx.js';
import { mosquittoFiles } from './mosquitto.js';
import type { Place } from './place.js';
import { serialOf } from './revoke.js';
import { Site } from './site.js';

export const usage = `usage: ./scripts/deepcod broker mosquitto|emqx|embedded --site DIR --out DIR --host NAME... [options]
       ./scripts/deepcod broker revoke --site DIR [--out DIR] CERTIFICATE|SERIAL...

Writes a broker's configuration, commented, with TLS, client certificates and an access list: a device can write and read its
own topics only. The site's authority is made where there is none; the broker gets a certificate of it, each worker and operator
too. Nothing that is there is written over, but for configurations with --force.

  --site DIR       the site's authority: ca.crt, ca.key (keep it off the broker's machine), ca.crl
  --out DIR        where to write
  --host NAME      what clients call the broker: host name or address; may be repeated
  --folder PATH    where the files will be on the broker's machine (default: --out)
  --port N         the broker's port (default: 8883)
  --base B         first levels of all topics (default: ${DEFAULT_BASE})
  --worker NAME    an edge, by its name; may be repeated (default: edge-1; none for embedded, which has its own)
  --operator NAME  somebody who may read everything and send commands; may be repeated
  --integration NAME  Home Assistant or its like: reads what it is told, chooses partition points; may be repeated
  --discovery P    Home Assistant's discovery prefix (default: ${DEFAULT_DISCOVERY})
  --force          write over configurations that were changed
  --help           this text

revoke takes certificates back, by their files or serial numbers, and copies the new list to --out.

Exit codes: 0 done, 1 unexpected, 2 usage or configuration.`;

const kinds: Record<string, (members: Members, place: Place) => Record<string, string>> = {
  mosquitto: mosquittoFiles,
  emqx: emqxFiles,
  embedded: embeddedFiles,
};

export async function run(args: string[]): Promise<number> {
  const { values, names } = parseOptionsAndNames(
    args,
    {
      ...{ site: text, out: text, host: texts, folder: text, port: text, base: text },
      ...{ worker: texts, operator: texts, integration: texts, discovery: text, force: flag },
    },
    1000,
  );
  const [kind, ...rest] = names;
  if (kind === undefined) throw usageError('Which broker? mosquitto, emqx or embedded; or revoke.');
  if (values.site === undefined) throw usageError("--site DIR is missing: the folder of the site's authority");
  if (kind === 'revoke') return revoke(values.site, values.out, rest);
  const write = Object.hasOwn(kinds, kind) ? kinds[kind] : undefined;
  if (!write) throw usageError(`${kind}: ${didYouMean(kind, [...Object.keys(kinds), 'revoke'])}`);
  if (rest.length > 0) throw usageError(`${rest[0]}: what is this?`);
  if (values.out === undefined) throw usageError('--out DIR is missing: where to write');
  if (!values.host?.length) throw usageError('--host NAME is missing: what clients call the broker');
  const members = membersOf(values, kind === 'embedded' ? [] : ['edge-1']);
  const out = resolve(values.out);
  const port = numberOption('port', values.port, 1, 65_535) ?? 8883;
  const site = await Site.open(values.site);
  await site.copyTo(out);
  await site.write(out, 'server', { name: values.host[0], kind: 'server', hosts: values.host });
  for (const name of members.workers) await site.write(join(out, 'clients'), name, { name, kind: 'worker' });
  const people = [...members.operators, ...members.integrations];
  for (const name of people) await site.write(join(out, 'clients'), name, { name, kind: 'device' });
  const files = write(members, { folder: resolve(values.folder ?? out), port });
  for (const [name, content] of Object.entries(files)) await writeText(join(out, name), content, values.force ?? false);
  const clients = [...members.workers, ...people].map((name) => `clients/${name}.crt, clients/${name}.key`);
  const written = [...Object.keys(files), 'ca.crt, ca.crl', 'server.crt, server.key', ...clients];
  process.stdout.write(`${out}:\n${written.map((line) => `  ${line}\n`).join('')}`);
  return ExitCode.ok;
}

interface MemberOptions {
  base?: string;
  discovery?: string;
  worker?: string[];
  operator?: string[];
  integration?: string[];
}

function membersOf(options: MemberOptions, defaultWorkers: string[]): Members {
  const { base = DEFAULT_BASE, discovery = DEFAULT_DISCOVERY, worker, operator = [], integration = [] } = options;
  for (const [option, levels] of Object.entries({ base, discovery })) {
    try {
      new Topics(levels);
    } catch (error) {
      throw usageError(`--${option}: ${(error as Error).message}`);
    }
  }
  const workers = worker ?? defaultWorkers;
  for (const name of workers) if (!isWorkerName(name)) throw usageError(`--worker ${name}: 1 to 64 of A-Z a-z 0-9 _ -`);
  for (const [option, names] of Object.entries({ operator, integration })) {
    for (const name of names) {
      if (!isDeviceName(name)) throw usageError(`--${option} ${name}: 1 to 64 of A-Z a-z 0-9 _ -, and not "edge"`);
      if (workers.includes(name)) throw usageError(`${name}: a worker or an ${option}, not both`);
    }
  }
  const twice = operator.find((name) => integration.includes(name));
  if (twice !== undefined) throw usageError(`${twice}: an operator or an integration, not both`);
  return { space: { base, discovery }, workers, operators: operator, integrations: integration };
}

async function writeText(file: string, content: string, force: boolean): Promise<void> {
  const there = await readFile(file, 'utf8').catch(() => undefined);
  if (there !== undefined && there !== content && !force) {
    const text = `${file} is there already, and differs from what would be written`;
    throw new DeepcodError('broker_file_changed', text, 'Move it away, or say --force.', ExitCode.usage);
  }
  replaceFile(file, content);
}

async function revoke(folder: string, out: string | undefined, what: string[]): Promise<number> {
  if (what.length === 0) throw usageError('Which certificates? Name their files or serial numbers.');
  const site = await Site.open(folder);
  const serials = what.map((each) => serialOf(each, site.certificate));
  const { revoked } = await site.revoke(serials);
  if (out !== undefined) await site.copyTo(resolve(out));
  const next =
    out === undefined
      ? `Copy ${join(folder, 'ca.crl')} to the broker.`
      : 'The embedded broker reads it by itself; restart mosquitto; at EMQX ban the name.';
  process.stdout.write(`${serials.length} revoked, ${revoked.size} in all. ${next}\n`);
  return ExitCode.ok;
}
