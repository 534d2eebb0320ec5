import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAgent } from '../../agent/agent.js';
import { openCamera } from '../../agent/camera/index.js';
import { rgbOf } from '../../agent/camera/yuv.js';
import { type AgentConfig, loadAgentConfig } from '../../agent/config/config.js';
import { type EdgeConfig, loadEdgeConfig } from '../../edge/config.js';
import { type Edge, startEdge } from '../../edge/edge.js';
import type { LiveWeb } from '../../edge/web/server.js';
import { SnapshotMaker } from '../../edge/web/snapshots.js';
import { startWeb } from '../../edge/web.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { createLog, type Log } from '../../platform/log.js';
import { untilStopped } from '../../platform/main.js';
import { writeReport } from '../json.js';
import { DecisionNotes } from './decisions.js';
import { SimulatedLink } from './link/link.js';
import { phaseWords } from './link/phases.js';
import { PhaseSums } from './link/report.js';
import type { DemoOptions } from './options.js';
import { isFree } from './ports.js';
import { RunReport } from './report.js';
import { makeSite, type SecureSite } from './secure.js';
import { type Screen, Table } from './table.js';

const HOST = '127.0.0.1';
const PAGE_PORT = 8080;
/** Slow machines take their time; a demonstration loses nothing because of it. */
const PATIENCE_MS = 20_000;
const DEVICE = 'demo';

/** Broker, edge, page and agents together, until the end or a signal. @returns the exit code */
export async function runDemo(options: DemoOptions, screen: Screen): Promise<number> {
  const names = namesOf(options);
  const table = new Table(screen, names.length > 1);
  const log = createLog('demo', options.verbose ? 'info' : 'warn', { write: (line) => table.note(line) });
  // What a demonstration saw is gone with it, and so are its keys.
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-demo-'));
  const site = options.secure ? await makeSite(join(folder, 'site'), names) : undefined;
  const { edge, web } = await openEdge(options, folder, site, log);
  const stopEdge = async () => {
    await web.close();
    await edge.close();
    await rm(folder, { recursive: true, force: true });
  };
  const report = new RunReport();
  // No picture crosses the wire between agent and edge; only here, where both run together, can the page show one.
  const snapshots = new SnapshotMaker(web.store);
  const notes = new DecisionNotes();
  let link: SimulatedLink | undefined;
  try {
    const { link: phases } = options;
    const sums = phases && new PhaseSums(phases);
    link =
      phases &&
      (await SimulatedLink.open(edge.brokerUrl, phases, (phase) => {
        table.note(`link: ${phaseWords(phases[phase], phase === phases.length - 1)}`);
      }));
    const url = link?.url ?? edge.brokerUrl;
    const open = async (name: string, index: number): Promise<Agent> => {
      const broker = { url, ...site?.device(name) };
      const agent: Agent = await openAgent(configureAgent(options, name, options.seed + index, broker), {
        log: log.child(names.length > 1 ? name : 'agent'),
        openCamera,
        frames: options.frames,
        onStart: (frame, picture) =>
          snapshots.offer(name, { session: agent.session, frame }, { ...picture, data: rgbOf(picture) }),
        onDecision: (decision) => {
          web.store.onDecision(name, agent.session, decision);
          const note = names.length > 1 ? undefined : notes.next(decision);
          if (note) table.note(note);
        },
        onTrip: (trip) => {
          report.add(trip);
          // Not before: models are loaded with the first frame, which would take its time from the first phase.
          link?.start();
          if (link) sums?.add(link.phaseAt(trip.startedAt), trip);
          const { frame, partition, rate, bytes, coding, steps } = trip;
          web.store.onTrip(name, { session: agent.session, frame, partition, rate, bytes, coding, steps });
          table.add(trip, summary(agents, web.url), names.length > 1 ? name : undefined);
        },
      });
      return agent;
    };
    const agents: Agent[] = [];
    for (const [index, name] of names.entries()) agents.push(await open(name, index));
    void untilStopped().then(() => {
      for (const agent of agents) agent.stop();
    });
    table.note(`Live page: ${web.url}`);
    for (const { name, password } of site?.logins ?? []) table.note(`  log in as ${name}, password ${password}`);
    if (site)
      table.note('  the browser does not know the authority of this site, made a moment ago: go on all the same');
    table.note(describe(options, agents[0].planner.isFixed));
    if (link) table.note('the link between agent and broker is simulated');
    await Promise.all(agents.map((agent) => agent.run()));
    table.end();
    const { bundle } = agents[0];
    const result = report.finish({ name: bundle.manifest.service.name, id: bundle.id }, sums?.finish());
    screen.write(`${closing(result)}\n`);
    if (options.json !== undefined) writeReport(options.json, result);
    return ExitCode.ok;
  } finally {
    await link?.close();
    await stopEdge();
  }
}

/** What the devices are called. */
function namesOf({ cameras }: DemoOptions): string[] {
  return cameras === 1 ? [DEVICE] : Array.from({ length: cameras }, (_, i) => `camera-${i + 1}`);
}

async function openEdge(
  options: DemoOptions,
  folder: string,
  site: SecureSite | undefined,
  log: Log,
): Promise<{ edge: Edge; web: LiveWeb }> {
  let edge: Edge | undefined;
  try {
    const config = await configureEdge(options, folder, site);
    edge = await startEdge(config, log.child('edge'));
    const web = await startWeb(config, edge, log);
    if (!web) throw new Error('a demonstration has its page');
    return { edge, web };
  } catch (error) {
    await edge?.close();
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

async function configureEdge(options: DemoOptions, folder: string, site?: SecureSite): Promise<EdgeConfig> {
  const { port = PAGE_PORT } = options;
  const free = port === 0 || (await isFree(port, HOST));
  if (!free && options.port !== undefined) {
    throw new DeepcodError('port_taken', `--port ${port}: something listens there already`, undefined, ExitCode.usage);
  }
  return loadEdgeConfig({
    overrides: {
      bundles: [options.bundle],
      broker: options.broker === undefined ? { host: HOST, port: 0, ...site?.broker } : { url: options.broker },
      web: { host: HOST, port: free ? port : 0, ...site?.web },
      history: { folder },
      queue: { max_age_ms: PATIENCE_MS },
      status_interval_s: 1,
    },
  });
}

function configureAgent(options: DemoOptions, device: string, seed: number, broker: object): AgentConfig {
  return loadAgentConfig({
    overrides: {
      device,
      broker,
      bundle: options.bundle,
      camera: {
        source: options.camera,
        input: options.input,
        fps: options.fps,
        seed,
        loop: !options.once,
      },
      partition: options.partition,
      rate: options.rate,
      timeout_ms: PATIENCE_MS,
      profile: { device_scale: options.deviceScale },
      health: { interval_s: 1 },
    },
  });
}

function describe(options: DemoOptions, fixed: boolean): string {
  const what = options.frames === undefined ? 'Ctrl-C stops' : `${options.frames} frames`;
  const decides = fixed
    ? `partition ${options.partition}`
    : `deciding as for a device ${options.deviceScale} times slower than this machine (simulated)`;
  return `${what}; ${decides}; times in ms`;
}

type Agent = Awaited<ReturnType<typeof openAgent>>;

function summary(agents: readonly Agent[], page: string): string {
  const sum = (of: (agent: Agent) => number): number => agents.reduce((total, agent) => total + of(agent), 0);
  const results = sum(({ stats }) => stats.results + stats.local);
  const mbps = sum(({ planner }) => planner.bandwidth.bps) / agents.length / 1e6;
  return [
    `${sum(({ stats }) => stats.frames)} frames, ${results} results, ${sum(({ stats }) => stats.lost)} lost, ` +
      `${sum((agent) => agent.drops().superseded ?? 0)} skipped`,
    `${sum(({ stats }) => stats.fps()).toFixed(1)} a second`,
    `link ${mbps.toFixed(1)} Mbit/s`,
    page,
  ].join('   ');
}

function closing(report: ReturnType<RunReport['finish']>): string {
  const { frames, results, lost, detections, bytes, latency_ms } = report;
  const counts = (of: Record<string, number>) =>
    Object.entries(of)
      .map(([id, count]) => `${id} ${count}`)
      .join(', ') || '-';
  return [
    `${frames} frames: ${results} results, ${lost} lost, ${detections} detections`,
    `bytes per frame: mean ${bytes.mean ?? '-'}, p50 ${bytes.p50 ?? '-'}, p95 ${bytes.p95 ?? '-'}`,
    `latency: p50 ${latency_ms.p50?.toFixed(1) ?? '-'} ms, p95 ${latency_ms.p95?.toFixed(1) ?? '-'} ms`,
    `partition points: ${counts(report.partitions)}; coding: ${counts(report.coding)}`,
    ...(report.link?.phases ?? []).map(
      (phase) =>
        `simulated link ${phase.link}: ${phase.frames} frames: ${phase.results} results (${phase.local} local), ` +
        `${phase.lost} lost${phase.lost > 0 ? ` (${counts(phase.causes)})` : ''}, ` +
        `p50 ${phase.latency_ms.p50?.toFixed(1) ?? '-'} ms, ${counts(phase.partitions)}`,
    ),
  ].join('\n');
}
