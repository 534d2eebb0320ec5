import { join } from 'node:path';
import { openBundle } from '../../platform/bundle.js';
import { packageRoot } from '../../platform/root.js';
import type { CamerasReport, CamerasTask } from './cameras.js';
import { messagesFor } from './messages.js';
import { percentile, round } from './saturation.js';
import { type BrokerKind, runChild, startServer } from './server.js';

export interface ManyRow {
  broker: BrokerKind;
  devices: number;
  /** Frames a second that were sent, and answered. */
  sent_fps: number;
  fps: number;
  /** Frames without a result. */
  lost: number;
  refused: number;
  unanswered: number;
  twice: number;
  p50_ms: number;
  p99_ms: number;
  /** Processors' worth of time, and memory at the end; the embedded broker is in the edge's. */
  edge_cpu: number;
  edge_mb: number;
  broker_cpu: number | null;
  broker_mb: number | null;
}

/** Many devices at one frame a second on one broker, with a model so small that broker and edge are what is measured. */
export async function manyDevices(
  devices: number,
  broker: BrokerKind,
  ms: number,
  progress: (line: string) => void,
): Promise<ManyRow> {
  const bundle = join(packageRoot(), 'test/fixtures/tiny-bundle');
  const messages = await messagesFor(await openBundle(bundle), 0, 0, 1);
  const server = await startServer(broker, bundle, { provider: 'cpu', threads: 1 });
  try {
    const task: CamerasTask = {
      url: server.url,
      version: server.version,
      messages,
      cameras: devices,
      fps: 1,
      inFlight: 2,
      timeoutMs: 2000,
      warmUpMs: 3000,
      ms,
    };
    const at = () => ({ edge: server.edge.cpu(), broker: server.broker?.cpu() ?? 0, time: performance.now() });
    let start = at();
    let end = start;
    let memory = { edge: 0, broker: 0 };
    const report = await runChild<CamerasReport>('./cameras.js', task, (word) => {
      if (word === 'counting') start = at();
      if (word !== 'over') return;
      end = at();
      memory = { edge: server.edge.megabytes(), broker: server.broker?.megabytes() ?? 0 };
    });
    const seconds = (end.time - start.time) / 1000;
    const sorted = report.latencies.sort((a, b) => a - b);
    const row: ManyRow = {
      broker,
      devices,
      sent_fps: round(report.sent / seconds),
      fps: round(report.arrived / seconds),
      lost: report.refused + report.unanswered,
      refused: report.refused,
      unanswered: report.unanswered,
      twice: report.twice,
      p50_ms: round(percentile(sorted, 0.5)),
      p99_ms: round(percentile(sorted, 0.99)),
      edge_cpu: round((end.edge - start.edge) / seconds),
      edge_mb: memory.edge,
      broker_cpu: server.broker ? round((end.broker - start.broker) / seconds) : null,
      broker_mb: server.broker ? memory.broker : null,
    };
    progress(
      `${devices} devices on ${broker}: ${row.fps} of ${row.sent_fps} frames/s answered, ${row.lost} lost; p99 ${row.p99_ms} ms; ` +
        `edge ${row.edge_cpu} processors, ${row.edge_mb} MB; broker ${row.broker_cpu ?? 'in it'}, ${row.broker_mb ?? '-'} MB`,
    );
    return row;
  } finally {
    await server.stop();
  }
}
