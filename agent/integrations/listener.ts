import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { Metrics } from '../../platform/metrics/registry.js';

/** A page of figures that is being served. */
export interface MetricsListener {
  readonly url: string;
  close(): Promise<void>;
}

/**
 * Serves /metrics and nothing else.
 * @throws DeepcodError `metrics_port` (exit code 2) when the address cannot be listened on
 */
export async function serveMetrics(
  metrics: Pick<Metrics, 'text'>,
  host: string,
  port: number,
): Promise<MetricsListener> {
  const server = createServer(
    { maxHeaderSize: 8192, headersTimeout: 5000, requestTimeout: 5000 },
    (request, response) => {
      request.resume();
      const [pathname] = (request.url ?? '').split('?', 1);
      const end = (status: number, text: string, type = 'text/plain; charset=utf-8'): void =>
        void response.writeHead(status, { 'content-type': type, 'x-content-type-options': 'nosniff' }).end(text);
      if (pathname !== '/metrics') return end(404, 'There is nothing here: /metrics.\n');
      if (request.method !== 'GET') return end(405, 'GET only.\n');
      metrics.text().then(
        ({ text, type }) => end(200, text, type),
        () => end(500, 'The figures cannot be read.\n'),
      );
    },
  );
  server.maxConnections = 16;
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    throw new DeepcodError(
      'metrics_port',
      `metrics cannot be served at ${host}:${port}: ${(error as Error).message}`,
      'Choose another metrics.port in agent.yaml.',
      ExitCode.usage,
    );
  }
  const { port: taken } = server.address() as AddressInfo;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${taken}/metrics`,
    async close() {
      server.closeAllConnections();
      await new Promise<void>((done) => server.close(() => done()));
    },
  };
}
