import { X509Certificate } from 'node:crypto';
import { dirname, join } from 'node:path';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { readSecretBytes } from '../../../platform/config.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import type { Log } from '../../../platform/log.js';
import { isLoopback } from '../../address.js';
import { AuditLog } from '../../audit/log.js';
import { tlsProtocol, watchFiles } from '../../tls.js';
import { Accounts } from './accounts.js';
import type { AuthOptions } from './auth.js';
import type { WebAuthConfig } from './config.js';
import { SessionFile } from './session-file.js';

/** How the page is served, decided once at the start. */
export interface Serving {
  scheme: 'http' | 'https';
  /** For fastify(). */
  server: { https?: SecureContextOptions; trustProxy?: string[] };
  /** For {@link protect}. */
  auth: AuthOptions;
  /** Answer only to names of this machine. */
  ownNames: boolean;
  /** Certificates are read again when they change. @returns ends looking */
  watch(renew: (context: SecureContextOptions) => void): () => void;
}

/**
 * Checks that the page is protected as its place asks for, and opens what that takes.
 * @throws DeepcodError `web_open`, `web_insecure`, `web_no_account`, `web_tls`, `accounts_damaged`, `audit_unwritable` (exit
 *   code 2)
 */
export async function servingOf(web: WebAuthConfig & { host: string }, log: Log): Promise<Serving> {
  const { host, accounts: file, tls, trusted_proxies: proxies, insecure, session } = web;
  const open = !isLoopback(host);
  const reachable = open || proxies.length > 0;
  if (reachable && file === undefined) {
    throw wrong(
      'web_open',
      `web.host: ${host}${open ? '' : ' behind a proxy'} lets others in, and without web.accounts all of them are operators`,
      "Set web.accounts to a file that 'deepcod account add NAME --role operator --accounts FILE' made, or web.host to 127.0.0.1.",
    );
  }
  if (open && !tls && proxies.length === 0 && !insecure) {
    throw wrong(
      'web_insecure',
      `web.host: ${host} lets the network in, and without https passwords can be listened to`,
      'Set web.tls, or put a reverse proxy with https in front and name it in web.trusted_proxies. On a network that you ' +
        'trust as a whole: web.insecure true.',
    );
  }
  if (open && insecure && !tls) log.warn('the page is open to the network without https: passwords can be listened to');
  const context = tls && readTls(tls);
  const accounts =
    file === undefined
      ? undefined
      : new Accounts(file, (error) => log.error('accounts stay as they were: the file cannot be used', { error }));
  if (accounts?.size === 0) {
    const hint = `Make one: deepcod account add NAME --role operator --accounts ${file}`;
    throw wrong('web_no_account', `${file} holds no account: nobody could log in`, hint);
  }
  const audit = file === undefined ? web.audit : (web.audit ?? join(dirname(file), 'audit.jsonl'));
  return {
    scheme: context ? 'https' : 'http',
    server: { ...(context && { https: context }), ...(proxies.length > 0 && { trustProxy: proxies }) },
    auth: {
      accounts,
      audit: audit === undefined ? undefined : await AuditLog.open(audit, log),
      session,
      ...(accounts && audit && { sessionFile: new SessionFile(join(dirname(audit), 'sessions.json'), log) }),
      httpsOnly: reachable && !insecure,
      log,
    },
    ownNames: !reachable,
    watch(renew) {
      if (!tls) return () => {};
      return watchFiles(Object.values(tls), () => {
        try {
          renew(readTls(tls));
          log.info("the page's certificate was read again");
        } catch (error) {
          log.error("the page's certificate stays as it was: the new one cannot be used", { error });
        }
      });
    },
  };
}

function readTls({ certificate, key }: { certificate: string; key: string }): SecureContextOptions {
  const cert = readSecretBytes(certificate, "the page's certificate (web.tls.certificate)");
  const context: SecureContextOptions = {
    cert,
    key: readSecretBytes(key, "the page's key (web.tls.key)"),
    ...tlsProtocol,
  };
  const hint = "Write certificate and key anew; 'deepcod broker embedded' makes a pair that serves the page too.";
  let ends: number;
  try {
    ends = Date.parse(new X509Certificate(cert).validTo);
    createSecureContext(context);
  } catch (error) {
    throw wrong('web_tls', `web.tls cannot be used: ${(error as Error).message}`, hint);
  }
  if (ends < Date.now()) throw wrong('web_tls', `${certificate} expired on ${new Date(ends).toISOString()}`, hint);
  return context;
}

function wrong(code: string, text: string, hint: string): DeepcodError {
  return new DeepcodError(code, text, hint, ExitCode.usage);
}
