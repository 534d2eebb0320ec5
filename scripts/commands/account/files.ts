import { dirname, join, resolve } from 'node:path';
import { loadEdgeConfig } from '../../../edge/config.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';

/**
 * Where accounts and the audit log are: named on the command line, or by an edge's configuration.
 * @throws DeepcodError `no_accounts_file`, and what is wrong with the configuration
 */
export function filesOf({ accounts, config }: { accounts?: string; config?: string }): {
  accounts: string;
  audit: string;
} {
  if (accounts !== undefined)
    return { accounts: resolve(accounts), audit: join(dirname(resolve(accounts)), 'audit.jsonl') };
  const web = config === undefined ? undefined : loadEdgeConfig({ file: config, env: process.env }).web;
  if (web?.accounts === undefined) {
    const text = config === undefined ? 'no file of accounts is named' : `${config}: web.accounts: missing`;
    const hint = 'Name the file with --accounts, or the configuration that names it with --config.';
    throw new DeepcodError('no_accounts_file', text, hint, ExitCode.usage);
  }
  return { accounts: web.accounts, audit: web.audit ?? join(dirname(web.accounts), 'audit.jsonl') };
}
