import { totalmem } from 'node:os';
import { chooseProvider } from '../platform/inference/choose-provider.js';
import type { Log } from '../platform/log.js';
import type { BrokerConfig } from '../platform/mqtt.js';
import { versions } from '../platform/versions.js';
import type { EdgeStatus } from '../protocol/status.js';
import { Topics } from '../protocol/topics.js';
import { type EmbeddedBroker, startBroker } from './broker.js';
import type { EdgeConfig } from './config.schema.js';
import { EdgeLink } from './link.js';
import { EdgeUpdates } from './update/updates.js';
import { type EdgeBundle, openEdgeBundle, openEdgeBundles } from './worker/bundles.js';
import type { WorkerStats } from './worker/counters.js';
import type { AnsweredFrame } from './worker/replies.js';
import { EdgeWorker } from './worker/worker.js';

/** How an edge is now. */
export interface EdgeGauges {
  /** How busy the inference threads were lately, 0 to 1. */
  load: number;
  /** Frames that wait for their turn, and how long one that comes now would wait, seconds. */
  waiting: number;
  backlog_s: number;
  /** Models that are loaded, and their memory, bytes. */
  models: number;
  model_bytes: number;
}

/** A running edge. */
export interface Edge {
  /** Address of the broker, for agents on this machine. */
  readonly brokerUrl: string;
  readonly topics: Topics;
  readonly link: EdgeLink;
  /** The broker in this process, if there is one. */
  readonly broker: EmbeddedBroker | undefined;
  readonly bundles: ReadonlyMap<string, EdgeBundle>;
  stats(): WorkerStats;
  /** Whether frames wait or are in work. */
  readonly busy: boolean;
  /** Resolves when every inference thread that is loaded has answered a call; rejects when one has ended. */
  prove(): Promise<void>;
  gauges(): EdgeGauges;
  /** Called for every answer; must be quick. */
  onAnswer(listener: (event: AnsweredFrame) => void): void;
  /** Announces offline, finishes what runs, answers it, and frees everything: threads, connections, ports. */
  close(): Promise<void>;
}

/**
 * Starts broker (if embedded) and worker. The broker may be absent: the edge connects when it comes.
 * @throws DeepcodError for bundles (exit code 3) and settings (2) that cannot be used
 */
export async function startEdge(config: EdgeConfig, log: Log): Promise<Edge> {
  const started = performance.now();
  const topics = new Topics(config.base);
  const bundles = await openEdgeBundles(config.bundles);
  for (const { name, id, routes } of bundles.values()) {
    log.info(`bundle ${name}`, { id, partitions: routes.map((r) => r.partition).join(',') || 'none' });
  }
  // Before the broker: a provider that cannot be used ends the process, which a listening broker would keep.
  const provider = await chooseProvider(config.inference.provider, log);
  const { embedded = config.broker.url === undefined } = config.broker;
  const broker: EmbeddedBroker | undefined = embedded
    ? await startBroker(
        { ...config.broker, base: config.base, discovery: config.home_assistant.prefix },
        log.child('broker'),
      )
    : undefined;
  const url = broker?.url ?? config.broker.url ?? '';
  const { threads, parallel, batch, measure, megabytes, max_loaded: maxLoaded } = config.inference;
  const maxBytes = megabytes === undefined ? machineBytes() / 2 : megabytes * 2 ** 20;

  let updates: EdgeUpdates | undefined;
  const worker = new EdgeWorker(
    {
      name: config.worker,
      topics,
      bundles,
      inference: { provider, threads, parallel, batch, maxLoaded, maxBytes, measure },
      queue: {
        depth: config.queue.depth,
        devices: config.queue.devices,
        bytes: config.queue.megabytes * 2 ** 20,
        maxAgeMs: config.queue.max_age_ms,
      },
      referenceBytes: config.references.megabytes * 2 ** 20,
      reading: () => updates?.read === false,
      publish: (to, text) => link.answer(to, text),
    },
    log.child('worker'),
  );

  const status = (): EdgeStatus => {
    const { bytes: _, batch_sizes: __, ...stats } = worker.stats();
    return {
      online: true,
      worker: config.worker,
      provider,
      bundles: [...bundles.values()].map(({ id, name }) => ({ id, name })),
      ...stats,
      load: Math.round(worker.load * 1000) / 1000,
      queue_ms: Math.round(worker.backlogMs),
      direct: true,
      tails_ms: worker.tailTimes(),
      uptime_s: Math.round((performance.now() - started) / 1000),
      versions: versions(),
    };
  };
  let link: EdgeLink;
  const close = async (): Promise<void> => {
    await updates?.close();
    await worker.close();
    await link?.close();
    await broker?.close();
  };
  const { folder, kbps } = config.updates;
  /** Bundles that are here by a release alone. */
  const released = new Set<string>();
  const serve = async (path: string): Promise<void> => {
    const bundle = await openEdgeBundle(path);
    if (bundles.has(bundle.id)) return;
    await worker.warm(bundle);
    bundles.set(bundle.id, bundle);
    released.add(bundle.id);
    link.publishStatus();
  };
  const withdraw = (id: string): void => {
    const bundle = bundles.get(id);
    if (!bundle || !released.delete(id)) return;
    bundles.delete(id);
    worker.retire(bundle);
    log.info(`bundle ${bundle.name} is no longer served: its release is gone`, { id });
    link.publishStatus();
  };
  try {
    link = new EdgeLink(
      {
        broker: brokerConfig(config, broker?.own.url),
        password: broker?.own.password,
        topics,
        worker: config.worker,
        share: config.share,
        statusIntervalMs: config.status_interval_s * 1000,
        onFrame: (topic, payload, properties) => worker.handle(topic, payload, properties),
        status,
      },
      log.child('mqtt'),
    );
    if (folder !== undefined) {
      const { broker } = link;
      const options = { folder, kbps, broker, topics, worker: config.worker, serve, withdraw };
      updates = new EdgeUpdates(options, log.child('update'));
      await updates.start();
    }
  } catch (error) {
    await close();
    throw error;
  }

  return {
    brokerUrl: url,
    topics,
    link,
    broker,
    bundles,
    stats: () => worker.stats(),
    get busy() {
      return worker.busy;
    },
    prove: () => worker.prove(),
    gauges: () => ({
      load: worker.load,
      waiting: worker.waiting,
      backlog_s: worker.backlogMs / 1000,
      models: worker.models,
      model_bytes: worker.modelBytes,
    }),
    onAnswer: (listener) => worker.onAnswer(listener),
    async close() {
      link.leave();
      await close();
    },
  };
}

/** Memory of this machine, or what a container is allowed of it. */
function machineBytes(): number {
  const allowed = process.constrainedMemory();
  return allowed > 0 ? Math.min(allowed, totalmem()) : totalmem();
}

/** @param own how the embedded broker is reached from here: it speaks 3.1.1, and needs no certificate of ours */
function brokerConfig({ broker }: EdgeConfig, own: string | undefined): BrokerConfig {
  // MQTT 3.1.1 takes no password without a name.
  if (own !== undefined) return { url: own, version: '3.1.1', username: 'edge', keepalive_s: broker.keepalive_s };
  const { url = '', version, username, password_file, ca_file, cert_file, key_file, keepalive_s } = broker;
  return { url, version, username, password_file, ca_file, cert_file, key_file, keepalive_s };
}
