import { resolve } from 'node:path';
import { openCamera } from '../../agent/camera/index.js';
import { loadAgentConfig } from '../../agent/config/config.js';
import { configured } from '../../platform/configured.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { untilStopped, usageError } from '../../platform/main.js';
import { flag, numberOption, parseOptions, text } from '../../platform/options.js';
import { defaultBundle } from '../../platform/root.js';
import { capture } from './capture/capture.js';

const EVERY_S = 5;
const SIDE = 1920;

export const usage = `usage: ./scripts/deepcod capture --config FILE --out DIR --megabytes N [options]

Keeps pictures for training, as JPEG files of the camera's whole view. Only where the owner of the site has agreed: the
configuration says so with capture.consent: true and capture.agreed (who, when). The folder never holds more than N MB, and
the disk keeps room. A camera serves one program: stop the agent first. No picture leaves this device by this command.

  --config FILE     the agent's configuration: camera, consent
  --out DIR         where they are kept; more are added to what is there
  --megabytes N     most that the folder may hold, 1 to 1000000
  --every S         seconds between two pictures, 0 (every one) to 86400 (default: ${EVERY_S})
  --minutes M       end after so long, whatever the camera does (default: when the folder is full)
  --side PIXELS     longest side of the pictures, 64 to 8192 (default: ${SIDE}; never enlarged)
  --json            what was done as one JSON object
  --help            this text

Exit codes: 0 done, 1 unexpected, 2 usage, configuration or no consent, 4 camera: none, held, no picture, or no more of them
when the time was over.`;

const MB = 1e6;

export async function run(args: string[]): Promise<number> {
  const options = { config: text, out: text, megabytes: text, every: text, minutes: text, side: text, json: flag };
  const values = parseOptions(args, options);
  const megabytes = numberOption('megabytes', values.megabytes, 1, 1_000_000, false);
  if (values.out === undefined || megabytes === undefined) throw usageError('--out and --megabytes: both are needed');
  const every = numberOption('every', values.every, 0, 86_400, false) ?? EVERY_S;
  const minutes = numberOption('minutes', values.minutes, 0.01, 1e6, false);
  const side = numberOption('side', values.side, 64, 8192) ?? SIDE;
  const { config } = configured('capture', (sources) => {
    const overrides = values.config === undefined ? { bundle: defaultBundle() } : {};
    return loadAgentConfig({ ...sources, file: values.config, overrides });
  });
  const { consent, agreed } = config.capture;
  if (!consent || agreed === undefined) {
    throw new DeepcodError(
      'capture_consent',
      consent
        ? 'capture.consent is true, but capture.agreed does not say who agreed'
        : 'pictures are not kept: the owner of this site has not agreed (capture.consent is false)',
      'When the owner has agreed, write capture.consent: true and capture.agreed: "NAME, DATE" into the configuration.',
      ExitCode.usage,
    );
  }
  const stop = new AbortController();
  void untilStopped().then((signal) => stop.abort(new Error(signal)));
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const report = await capture(
    {
      ...{ folder: resolve(values.out), mostBytes: megabytes * MB, everyMs: every * 1000, side },
      ...{ camera: config.camera, device: config.device, agreed },
      ...(minutes !== undefined && { forMs: minutes * 60_000 }),
    },
    { openCamera, say, signal: stop.signal },
  );
  const { pictures, bytes, ended } = report;
  process.stdout.write(
    values.json
      ? `${JSON.stringify(report)}\n`
      : `${pictures} pictures, ${(bytes / MB).toFixed(1)} MB in ${values.out}: ${ended}\n`,
  );
  return report.camera_trouble === undefined ? ExitCode.ok : ExitCode.camera;
}
