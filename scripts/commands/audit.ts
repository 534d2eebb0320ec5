import { resolve } from 'node:path';
import { type AuditEntry, readAudit } from '../../edge/audit/log.js';
import { ExitCode } from '../../platform/errors.js';
import { flag, numberOption, parseOptions, text } from '../../platform/options.js';
import { filesOf } from './account/files.js';

export const usage = `usage: ./scripts/deepcod audit [--config edge.yaml | --accounts FILE | --file FILE] [--last N] [--json]

Who logged in to the edge's page, who tried, and what they did.

  --config FILE    edge.yaml
  --accounts FILE  the file of accounts, in place of --config
  --file FILE      the audit log itself
  --last N         so many entries, 1 to 100000 (default: 50)
  --json           as they are, one JSON document a line
  --help           this text

Exit codes: 0 done, 1 unexpected, 2 usage or configuration.`;

export async function run(args: string[]): Promise<number> {
  const values = parseOptions(args, { config: text, accounts: text, file: text, last: text, json: flag });
  const last = numberOption('last', values.last, 1, 100_000) ?? 50;
  const file = values.file === undefined ? filesOf(values).audit : resolve(values.file);
  for (const entry of await readAudit(file, last)) {
    process.stdout.write(`${values.json ? JSON.stringify(entry) : shown(entry)}\n`);
  }
  return ExitCode.ok;
}

function shown({ time, event, user, address, method, route, params, status, detail }: AuditEntry): string {
  const what = method === undefined ? '' : `${method} ${route ?? '?'}${withValues(params)} ${status ?? ''}`;
  const more = detail === undefined ? '' : JSON.stringify(detail);
  const line = [
    time.slice(0, 19).replace('T', ' '),
    event.padEnd(12),
    user.padEnd(16),
    (address ?? '-').padEnd(15),
    what,
    more,
  ];
  // What came from outside must not control a terminal.
  return line
    .join(' ')
    .replace(/\p{Cc}/gu, '?')
    .trimEnd();
}

function withValues(params: unknown): string {
  const entries = Object.entries((params ?? {}) as Record<string, unknown>);
  return entries.length === 0 ? '' : ` (${entries.map(([key, value]) => `${key}=${String(value)}`).join(', ')})`;
}
