import { setTimeout as pause } from 'node:timers/promises';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { untilStopped } from '../../platform/main.js';
import { flag, parseOptionsAndNames, text } from '../../platform/options.js';
import { parseHealth } from '../../protocol/health.js';
import { parseResult } from '../../protocol/result.js';
import { parseStatus } from '../../protocol/status.js';
import { type Topic, Topics } from '../../protocol/topics.js';
import { toBroker } from './broker.js';
import { targetOf } from './target.js';
import { LiveTable } from './watch/table.js';

export const usage = `usage: ./scripts/deepcod watch [options] [DEVICE]

Live results in the terminal, a line each: time, frame, partition point and rate, KB sent (mean), total ms (median), ms at the
edge, pictures that came to nothing so far, and what was found. Ctrl-C ends it.

  DEVICE            only this one (default: the one in --config, else all)
  --config FILE     an agent's configuration: broker, base, device
  --broker URL      the broker (default: the configuration's, else mqtt://127.0.0.1:1883)
  --base B          first levels of all topics (default: the configuration's, else deepcod)
  --once            end after one result, or after 15 seconds without one
  --json            one JSON object a line: {"at", "device", "kind": "result" | "health" | "status", "message"}
  --help            this text

Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 5 broker unreachable, or no result with --once.`;

const ONCE_MS = 15_000;

type Kind = 'result' | 'health' | 'status';
const readers = { result: parseResult, health: parseHealth, status: parseStatus };

export async function run(args: string[]): Promise<number> {
  const options = { config: text, broker: text, base: text, once: flag, json: flag };
  const { values, names } = parseOptionsAndNames(args, options, 1);
  const { config, device: only } = targetOf('watch', values, names[0]);
  const topics = new Topics(config.base);
  const { broker, reached } = toBroker('watch', config.broker);
  const table = new LiveTable(only === undefined, () => process.stdout.columns ?? 80, Date.now);
  const first = new AbortController();
  const take = (topic: string, payload: Buffer): void => {
    const about = topics.parse(topic);
    if (!isWatched(about)) return;
    const { kind, device } = about;
    try {
      const message = readers[kind](payload);
      if (values.json) {
        process.stdout.write(`${JSON.stringify({ at: new Date().toISOString(), device, kind, message })}\n`);
      } else {
        for (const line of table.take(device, kind, message)) process.stdout.write(`${line}\n`);
      }
      if (kind === 'result') first.abort();
    } catch (error) {
      process.stderr.write(`${device}: ${kind}: ${(error as Error).message}\n`);
    }
  };
  // Health before results: the first line has its figures.
  const filters = only
    ? [topics.status(only), topics.health(only), topics.result(only)]
    : [topics.filters.allStatus(), topics.filters.allHealth(), topics.filters.allResults()];
  for (const filter of filters) broker.subscribe(filter, take);
  try {
    await reached();
    const stopped = untilStopped();
    if (!values.once) await stopped;
    else if (!(await Promise.race([oneCame(first.signal), stopped]))) {
      const hint = 'Is the agent running? `deepcod doctor` on the device says what is wrong.';
      throw new DeepcodError('no_result', `no result within ${ONCE_MS / 1000} s`, hint, ExitCode.broker);
    }
  } finally {
    await broker.close();
  }
  return ExitCode.ok;
}

const isWatched = (topic: Topic | undefined): topic is Topic & { kind: Kind; device: string } =>
  topic !== undefined && Object.hasOwn(readers, topic.kind);

/** Whether the first result came in time. */
function oneCame(first: AbortSignal): Promise<boolean> {
  return pause(ONCE_MS, false, { signal: first }).catch(() => true);
}
