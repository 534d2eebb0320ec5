import { setTimeout as pause } from 'node:timers/promises';
import { ExitCode } from '../../platform/errors.js';
import { untilStopped, usageError } from '../../platform/main.js';
import { flag, numberOption, parseOptionsAndNames, text } from '../../platform/options.js';
import type { UpdateStatus } from '../../protocol/update.js';
import { targetOf } from './target.js';
import { describeStatus, isOver } from './update/show.js';
import { UpdateWatch } from './update/watch.js';

export const usage = `usage: ./scripts/deepcod update status [options] DEVICE

How a device's update goes, or how the last one ended.

  DEVICE            its name (default: the one in --config)
  --watch           go on, and show each change, until the release has ended; Ctrl-C stops it
  --sequence N      the release that is meant: with --watch, wait for it to begin
  --timeout S       with --watch: at most so many seconds (default: no limit)
  --json            each status as it is, on one line
  --config FILE     an agent's configuration: broker, base, device
  --broker URL      the broker (default: the configuration's, else mqtt://127.0.0.1:1883)
  --base B          first levels of all topics (default: the configuration's, else deepcod)
  --help            this text

Exit codes: 0 kept, nothing to do, or still going on without --watch; 1 unexpected; 2 usage or configuration, unknown device;
5 broker unreachable, or no end by the time limit; 6 refused or rolled back.`;

/** How often it looks what has come, ms. */
const LOOK_MS = 50;

export async function run(args: string[]): Promise<number> {
  const options = { watch: flag, json: flag, sequence: text, timeout: text, config: text, broker: text, base: text };
  const { values, names } = parseOptionsAndNames(args, options, 2);
  if (names[0] !== 'status') throw usageError('update status DEVICE');
  const sequence = numberOption('sequence', values.sequence, 1, Number.MAX_SAFE_INTEGER);
  const seconds = numberOption('timeout', values.timeout, 1, 7 * 86_400, false);
  const { config, device } = targetOf('update', values, names[1]);
  if (device === undefined) throw usageError('Which device? Name it, or name its configuration with --config.');

  let stopped = false;
  if (values.watch) void untilStopped().then(() => (stopped = true));
  const until = performance.now() + (seconds ?? Number.POSITIVE_INFINITY) * 1000;
  const watch = new UpdateWatch(config.broker, config.base, device);
  try {
    const show = (status: UpdateStatus) =>
      process.stdout.write(`${values.json ? JSON.stringify(status) : describeStatus(status)}\n`);
    let shown = await watch.open();
    show(shown);
    if (!values.watch) return codeOf(shown);
    let begun = sequence !== undefined || !isOver(shown, sequence);
    for (;;) {
      if (begun && isOver(shown, sequence)) return codeOf(shown);
      if (stopped) return ExitCode.ok;
      if (performance.now() > until) return ExitCode.broker;
      await pause(LOOK_MS);
      const status = watch.take();
      if (!status) continue;
      show(status);
      shown = status;
      begun = true;
    }
  } finally {
    await watch.close();
  }
}

function codeOf({ state }: UpdateStatus): number {
  return state === 'refused' || state === 'rolled_back' ? ExitCode.update : ExitCode.ok;
}
