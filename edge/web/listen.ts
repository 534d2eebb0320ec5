import type { AddressInfo } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { DeepcodError, ExitCode } from '../../platform/errors.js';

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]', '::1']);

/** Whether a request's Host header names this machine itself. */
export function isOwnName(host = ''): boolean {
  const name = host.replace(/:\d{1,5}$/, '').toLowerCase();
  return LOOPBACK.has(name) || /^127(\.\d{1,3}){3}$/.test(name) || name.endsWith('.localhost');
}

/**
 * Starts listening.
 * @returns the address to open in a browser
 * @throws DeepcodError `web_port` (exit code 2) when the address cannot be listened on
 */
export async function listen(app: FastifyInstance, host: string, port: number, scheme = 'http'): Promise<string> {
  try {
    await app.listen({ host, port });
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const taken = code === 'EADDRINUSE';
    throw new DeepcodError(
      'web_port',
      taken
        ? `port ${port} of ${host} is taken: the page cannot be served there`
        : `the page cannot be served at ${host}:${port}: ${message}`,
      taken ? 'set web.port to another port, or to 0 for any free one' : 'check web.host and web.port',
      ExitCode.usage,
    );
  }
  const { port: chosen } = app.server.address() as AddressInfo;
  return `${scheme}://${urlHost(host)}:${chosen}/`;
}

const urlHost = (host: string): string => {
  if (host === '0.0.0.0' || host === '::') return 'localhost';
  return host.includes(':') ? `[${host}]` : host;
};
