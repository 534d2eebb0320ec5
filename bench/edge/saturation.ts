import { openEdgeBundle } from '../../edge/worker/bundles.js';
import type { Route } from '../../edge/worker/route.js';
import type { Provider } from '../../platform/inference/provider.js';
import type { BareReport, BareTask } from './bare.js';
import type { CamerasReport, CamerasTask } from './cameras.js';
import { messagesFor } from './messages.js';
import { type BrokerKind, runChild, startServer } from './server.js';

export interface SaturationRow {
  cameras: number;
  provider: string;
  /** Frames in a run of the tail, on the average. */
  batch: number;
  /** Answered frames a second, and those of a bare loop of ONNX Runtime with that batch, before and after. */
  fps: number;
  bare_fps: number;
  share: number;
  /** Round trips of answered frames. */
  p50_ms: number;
  p99_ms: number;
  /** Frames refused because of overload, and frames without any answer. */
  lost: number;
  refused: number;
  unanswered: number;
  twice: number;
  /** Entropy decoding of a frame on the main thread, p50. */
  decode_ms: number;
  /** Processor time of a frame: of the bare loop, the edge and the broker. Says more than frames a second where others run. */
  bare_cpu_ms: number;
  edge_cpu_ms: number;
  broker_cpu_ms: number | null;
}

export interface SaturationOptions {
  bundle: string;
  partition: string;
  rate: number;
  cameras: readonly number[];
  provider: Provider;
  threads: number;
  batch: number;
  broker: BrokerKind;
  ms: number;
  bareMs: number;
}

/** Cameras that send as fast as they are answered: what the edge makes of a model, against the model alone. */
export async function saturation(
  options: SaturationOptions,
  progress: (line: string) => void,
): Promise<{ rows: SaturationRow[]; bare: Record<string, number>; decoder_share: number | null }> {
  const { partition, rate, provider, threads } = options;
  const { bundle, routes, raw } = await openEdgeBundle(options.bundle);
  const index = routes.findIndex((route) => route.partition === partition);
  const route = index < 0 ? raw : routes[index];
  const messages = await messagesFor(bundle, index, rate, threads);
  const bare = (of: Route, batch: number, spinning = false): Promise<BareReport> => {
    const task: BareTask = { model: of.model, provider, threads, batch, dims: of.dims, spinning, ms: options.bareMs };
    return runChild<BareReport>('./bare.js', task);
  };
  const all: Record<string, number> = {
    spinning: round((await bare(route, 1, true)).fps),
    one: round((await bare(route, 1)).fps),
    full: round((await bare(route, options.batch)).fps),
  };
  progress(
    `bare loop: ${all.one} frames/s alone, ${all.full} by ${options.batch}; ${all.spinning} with threads that spin`,
  );
  const service = partition === 'input' ? (await bare(raw, 1)).fps : null;

  const rows: SaturationRow[] = [];
  let before = { batch: 1, ...(await bare(route, 1)) };
  for (const cameras of options.cameras) {
    const inference = { provider, threads, batch: options.batch };
    const server = await startServer(options.broker, options.bundle, inference);
    try {
      const task: CamerasTask = {
        url: server.url,
        version: server.version,
        messages,
        cameras,
        fps: 0,
        inFlight: 2,
        timeoutMs: 2000,
        warmUpMs: Math.max(2000, options.ms / 4),
        ms: options.ms,
      };
      let mark = { edge: 0, broker: 0, results: 0, batches: 0 };
      const at = () => {
        const { results = 0, batches = 0 } = server.status();
        return { edge: server.edge.cpu(), broker: server.broker?.cpu() ?? 0, results, batches };
      };
      let spent = mark;
      const report = await runChild<CamerasReport>('./cameras.js', task, (word) => {
        if (word === 'counting') mark = at();
        if (word !== 'over') return;
        const end = at();
        spent = {
          edge: end.edge - mark.edge,
          broker: end.broker - mark.broker,
          results: end.results - mark.results,
          batches: end.batches - mark.batches,
        };
      });
      const { steps_ms } = server.status();
      await server.stop();
      const batch = Math.max(1, spent.results / Math.max(1, spent.batches));
      const size = Math.max(1, Math.round(batch));
      const after = { batch: size, ...(await bare(route, size)) };
      const bare_fps = before.batch === after.batch ? (before.fps + after.fps) / 2 : after.fps;
      before = after;
      const fps = report.arrived / (options.ms / 1000);
      const sorted = report.latencies.sort((a, b) => a - b);
      const row: SaturationRow = {
        cameras,
        provider,
        batch: round(batch),
        fps: round(fps),
        bare_fps: round(bare_fps),
        share: round(fps / bare_fps),
        p50_ms: round(percentile(sorted, 0.5)),
        p99_ms: round(percentile(sorted, 0.99)),
        lost: report.refused + report.unanswered,
        refused: report.refused,
        unanswered: report.unanswered,
        twice: report.twice,
        decode_ms: round(steps_ms?.decode ?? 0),
        bare_cpu_ms: round(after.cpu_ms),
        edge_cpu_ms: round((1000 * spent.edge) / Math.max(1, report.arrived)),
        broker_cpu_ms: server.broker ? round((1000 * spent.broker) / Math.max(1, report.arrived)) : null,
      };
      rows.push(row);
      progress(
        `${cameras} cameras: ${row.fps} frames/s, ${Math.round(100 * row.share)}% of the bare loop's ${row.bare_fps}; batch ${row.batch}; ` +
          `p50 ${row.p50_ms}, p99 ${row.p99_ms} ms; ${row.refused} refused, ${row.unanswered} unanswered`,
      );
    } finally {
      await server.stop().catch(() => undefined);
    }
  }
  const decoder = service === null ? null : round(1 - all.one / service);
  return { rows, bare: all, decoder_share: decoder };
}

/** @param sorted ascending */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? Number.NaN;
}

export const round = (value: number): number => Math.round(value * 1000) / 1000;
