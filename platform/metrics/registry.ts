import { readdirSync } from 'node:fs';
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import { versions } from '../versions.js';
import { OTHER } from './names.js';

/** Upper bounds for times of one step, seconds: from a header's check to a frame that is late. */
export const STEP_SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

type Values = number | undefined | Iterable<readonly [label: string, value: number]>;

/**
 * Metrics of one process, in few words: what is counted elsewhere is read when somebody asks. Names are whole, by
 * Prometheus' conventions.
 */
export class Metrics {
  readonly registry = new Registry();

  /** @param prefix of the one metric that tells the version: `deepcod_edge` */
  constructor(prefix: string) {
    const { deepcod, node } = versions();
    new Gauge({
      name: `${prefix}_build_info`,
      help: 'Always 1; the labels tell what runs.',
      labelNames: ['version', 'node'],
      registers: [this.registry],
    }).set({ version: deepcod, node }, 1);
    this.#process();
  }

  /** Something that only grows. @param read its present sum, or one for each value of the label */
  counter(name: string, help: string, read: () => Values, label?: string): void {
    const counter = new Counter({
      ...{ name, help, registers: [this.registry], labelNames: label ? [label] : [] },
      collect() {
        this.reset();
        each(read(), label, (labels, value) => this.inc(labels, value));
      },
    });
    counter.reset();
  }

  /** Something that goes up and down. @param read its present value, or one for each value of the label; none: not known */
  gauge(name: string, help: string, read: () => Values, label?: string): void {
    new Gauge({
      ...{ name, help, registers: [this.registry], labelNames: label ? [label] : [] },
      collect() {
        this.reset();
        if (!label) this.remove();
        each(read(), label, (labels, value) => {
          // the mean of the rest says nothing of any of them
          if (!label || labels[label] !== OTHER) this.set(labels, value);
        });
      },
    });
  }

  /** What is told as it happens. @param label its values are few and known */
  histogram<L extends string>(name: string, help: string, buckets: number[], label: L): Histogram<L> {
    return new Histogram({ name, help, buckets, labelNames: [label], registers: [this.registry] });
  }

  /** The text that Prometheus reads, and its content type. */
  async text(): Promise<{ text: string; type: string }> {
    return { text: await this.registry.metrics(), type: this.registry.contentType };
  }

  /** The few of a process that are asked for; prom-client's own would keep a timer running for the rest. */
  #process(): void {
    const started = Date.now() / 1000 - process.uptime();
    this.counter('process_cpu_seconds_total', 'Processor time, user and system, seconds.', () => {
      const { user, system } = process.cpuUsage();
      return (user + system) / 1e6;
    });
    this.gauge('process_resident_memory_bytes', 'Resident memory, bytes.', () => process.memoryUsage.rss());
    this.gauge('process_start_time_seconds', 'Start, seconds since 1970.', () => started);
    this.gauge('process_open_fds', 'Open files and connections.', openFiles);
    this.gauge('nodejs_heap_size_used_bytes', 'JavaScript heap in use, bytes.', () => process.memoryUsage().heapUsed);
    let before = performance.eventLoopUtilization();
    this.gauge('nodejs_eventloop_utilization_ratio', 'Share of the main thread’s time that was busy, lately.', () => {
      const now = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(now, before);
      before = now;
      return utilization;
    });
  }
}

/** A histogram of what others have counted exactly already: how often each whole number occurred. */
export function countedHistogram(
  { registry }: Metrics,
  name: string,
  help: string,
  buckets: readonly number[],
  read: () => readonly number[],
): void {
  // prom-client asks a metric for no more than this
  const metric = {
    ...{ name, help, type: 'histogram', aggregator: 'sum' },
    reset() {},
    get: async () => {
      const counts = read();
      const upTo = (most: number): number => counts.slice(0, most + 1).reduce((sum, count) => sum + count, 0);
      const sum = counts.reduce((total, count, value) => total + count * value, 0);
      const values = buckets.map((le) => ({ metricName: `${name}_bucket`, labels: { le }, value: upTo(le) }));
      const all = counts.reduce((total, count) => total + count, 0);
      values.push({ metricName: `${name}_bucket`, labels: { le: '+Inf' as unknown as number }, value: all });
      const rest = [
        { metricName: `${name}_sum`, labels: {}, value: sum },
        { metricName: `${name}_count`, labels: {}, value: all },
      ];
      return { name, help, type: 'histogram', aggregator: 'sum', values: [...values, ...rest] };
    },
  };
  registry.registerMetric(metric as unknown as Histogram);
}

function each(
  values: Values,
  label: string | undefined,
  tell: (labels: Record<string, string>, value: number) => void,
) {
  if (values === undefined) return;
  if (typeof values === 'number') tell({}, values);
  else if (label) for (const [name, value] of values) tell({ [label]: name }, value);
}

function openFiles(): number | undefined {
  try {
    return readdirSync('/proc/self/fd').length;
  } catch {
    return undefined;
  }
}
