import { setTimeout as pause } from 'node:timers/promises';
import { ExitCode } from '../../platform/errors.js';
import { untilStopped, usageError } from '../../platform/main.js';
import { flag, numberOption, parseOptionsAndNames, text } from '../../platform/options.js';
import { DECISIONS_MAX, type DecisionsMessage } from '../../protocol/decision.js';
import { DeviceQuestion } from './explain/ask.js';
import { explanation, isNews } from './explain/show.js';
import { targetOf } from './target.js';

/** Decisions that are asked for: at first, and again and again with --follow. */
const LAST = 50;
const FOLLOW_LAST = 10;

export const usage = `usage: ./scripts/deepcod explain [options] DEVICE

Why a device cuts the network where it does: what every option was expected to cost when it last decided, and its changes
before that. The device must be running and connected.

  DEVICE            its name (default: the one in --config)
  --config FILE     an agent's configuration: broker, base, device
  --broker URL      the broker (default: the configuration's, else mqtt://127.0.0.1:1883)
  --base B          first levels of all topics (default: the configuration's, else deepcod)
  --last N          look at so many decisions, 1 to ${DECISIONS_MAX} (default: ${LAST})
  --follow          go on, and show each change; Ctrl-C stops it
  --json            the device's answer as it is, on one line
  --help            this text

Exit codes: 0 done, 1 unexpected, 2 usage or configuration, unknown device, 5 broker or device unreachable.`;

/** Between two questions with --follow, ms. */
const FOLLOW_MS = 2500;

export async function run(args: string[]): Promise<number> {
  const { values, names } = parseOptionsAndNames(
    args,
    { config: text, broker: text, base: text, last: text, follow: flag, json: flag },
    1,
  );
  const last = numberOption('last', values.last, 1, DECISIONS_MAX) ?? LAST;
  const { config, device } = targetOf('explain', values, names[0]);
  if (device === undefined) throw usageError('Which device? Name it, or name its configuration with --config.');

  const question = new DeviceQuestion(config.broker, config.base, device);
  const stopped = new AbortController();
  if (values.follow) void untilStopped().then(() => stopped.abort());
  try {
    await question.open();
    let shown: DecisionsMessage | undefined;
    do {
      const answer = await question.ask(shown ? Math.min(last, FOLLOW_LAST) : last);
      if (!shown || isNews(answer, shown)) {
        const gap = shown && !values.json ? '\n' : '';
        process.stdout.write(`${gap}${values.json ? JSON.stringify(answer) : explanation(answer)}\n`);
        shown = answer;
      }
      if (values.follow) await pause(FOLLOW_MS, undefined, { signal: stopped.signal }).catch(() => undefined);
    } while (values.follow && !stopped.signal.aborted);
  } finally {
    await question.close();
  }
  return ExitCode.ok;
}
