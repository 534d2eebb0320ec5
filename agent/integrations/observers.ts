import type { Log } from '../../platform/log.js';
import type { HealthMessage } from '../../protocol/health.js';
import type { Agent, AgentParts } from '../agent.js';
import type { AgentConfig } from '../config/config.js';
import type { AgentMetrics } from './agent-metrics.js';
import type { MetricsListener } from './listener.js';
import type { TripTraces } from './trip-traces.js';

/** Metrics and traces of one agent, as its settings want them. What is not wanted is not loaded. */
export class Observers {
  #traces: TripTraces | undefined;
  #metrics: AgentMetrics | undefined;
  #listener: MetricsListener | undefined;
  #agent: Pick<Agent, 'health'> | undefined;

  private constructor() {}

  /** Before the agent. @throws DeepcodError `metrics_port` (exit code 2) */
  static async open({ traces, metrics, device }: AgentConfig, log: Log): Promise<Observers> {
    const observers = new Observers();
    if (metrics.port !== undefined) {
      const [{ agentMetrics }, { serveMetrics }] = await Promise.all([
        import('./agent-metrics.js'),
        import('./listener.js'),
      ]);
      const early: HealthMessage = { v: 1, device, session: 0, uptime_s: 0 };
      observers.#metrics = agentMetrics(lately(() => observers.#agent?.health() ?? early));
      observers.#listener = await serveMetrics(observers.#metrics.metrics, metrics.host, metrics.port);
      log.info('metrics', { url: observers.#listener.url });
    }
    if (traces.url !== undefined) {
      const { TripTraces } = await import('./trip-traces.js');
      observers.#traces = new TripTraces(traces.url, traces.ratio, device, log.child('traces'));
    }
    return observers;
  }

  /** For the agent. @param onTrip is told too */
  parts(onTrip?: AgentParts['onTrip']): Pick<AgentParts, 'traceparent' | 'onTrip'> {
    if (!this.#traces && !this.#metrics) return { onTrip };
    return {
      ...(this.#traces && { traceparent: (frame) => this.#traces?.start(frame) }),
      onTrip: (trip) => {
        onTrip?.(trip);
        this.#metrics?.onTrip(trip);
        this.#traces?.end(trip);
      },
    };
  }

  /** From now on the metrics are this agent's. */
  watch(agent: Pick<Agent, 'health'>): void {
    this.#agent = agent;
  }

  async close(): Promise<void> {
    await Promise.all([this.#listener?.close(), this.#traces?.close()]);
  }
}

/** One reading serves all that is asked in the same breath: a health is not free. */
function lately(read: () => HealthMessage): () => HealthMessage {
  let known: HealthMessage | undefined;
  return () => {
    if (!known) {
      known = read();
      setImmediate(() => {
        known = undefined;
      });
    }
    return known;
  };
}
