import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { cameras } from '../../agent/camera/index.js';
import { DEFAULT_SEED } from '../../agent/camera/simulated.js';
import { usageError } from '../../platform/main.js';
import { flag, numberOption, parseOptions, text } from '../../platform/options.js';
import { defaultBundle } from '../../platform/root.js';
import { didYouMean } from '../../platform/suggest.js';
import { type LinkPhase, parseLink } from './link/phases.js';

export const usage = `usage: ./scripts/demo [options]

Starts a broker, an edge and an agent on this machine, and shows what happens: here, and on a web page. Ctrl-C stops it.

  --frames N          stop after N frames
  --json FILE         write a report when it ends
  --cameras N         so many simulated cameras, each at a work site of its own (default: 1)
  --secure            as a site would run it: TLS with a certificate for each device, a login on the page
  --camera KIND       ${Object.keys(cameras).join(' or ')} (default: simulated, or replay with --input)
  --input DIR|VIDEO   what the replay camera shows
  --once              stop at the end of the input instead of starting again
  --bundle DIR        the models to use (default: models/onnx/worksite)
  --fps N             pictures a second, 0 for as many as there is room for (default: 5)
  --partition P       auto, a partition point, raw (pixels as they are), or device (all of it there)
  --rate R            auto, or the index of a rate
  --device-scale X    decide as if the device were X times slower than this machine (default: 8, about a Pi 4)
  --link PHASES       put a simulated link between agent and broker, phase after phase; see below
  --seed N            which simulated work site (default: ${DEFAULT_SEED})
  --port N            port of the web page (default: 8080, or a free one if that is taken)
  --broker URL        use this broker instead of starting one
  --verbose           show what the parts log
  --help              this text

PHASES are separated by ";", each RATE[/DELAY],DURATION: a rate like 0.3mbit, 250kbit or 2gbit, or off (the connection is cut);
a delay one way like 20ms (default 0); a duration like 10s, 500ms or 2m, from the end of the first frame on. The last phase holds to the end and
may leave out its duration.

  --link "10mbit,10s;0.3mbit,10s;off,5s;10mbit,10s"      --link 1mbit/40ms

Simulated: the link (a relay in this process that sends no faster and no sooner; packets are not lost) and the device's slow-down
(--device-scale). Measured: everything else, on this machine.

Exit codes: 0 stopped or end of the input, 1 unexpected, 2 usage or configuration, 3 bundle, 4 camera.`;

export interface DemoOptions {
  frames?: number;
  json?: string;
  cameras: number;
  secure: boolean;
  camera: string;
  input?: string;
  once: boolean;
  bundle: string;
  fps: number;
  partition: string;
  rate: 'auto' | number;
  deviceScale: number;
  seed: number;
  link?: LinkPhase[];
  port?: number;
  broker?: string;
  verbose: boolean;
}

/** More than one machine can simulate. */
const MOST_CAMERAS = 8;

/** @throws usageError for whatever makes no sense */
export function demoOptions(args: string[]): DemoOptions {
  const values = parseOptions(args, {
    frames: text,
    json: text,
    cameras: text,
    secure: flag,
    camera: text,
    input: text,
    once: flag,
    bundle: text,
    fps: text,
    partition: text,
    rate: text,
    'device-scale': text,
    seed: text,
    link: text,
    port: text,
    broker: text,
    verbose: flag,
  });
  const number = (
    name: 'frames' | 'cameras' | 'fps' | 'seed' | 'port' | 'device-scale',
    least: number,
    most: number,
    whole = true,
  ) => numberOption(name, values[name], least, most, whole);

  const camera = values.camera ?? (values.input === undefined ? 'simulated' : 'replay');
  if (!Object.hasOwn(cameras, camera)) {
    throw usageError(`--camera ${camera}: there is no such camera; ${didYouMean(camera, Object.keys(cameras))}`);
  }
  if (camera === 'replay' && values.input === undefined) {
    throw usageError('--camera replay: say what to show with --input, a folder of images or a video file');
  }
  if (camera !== 'replay' && values.input !== undefined) {
    throw usageError(`--input ${values.input}: only the replay camera takes it, not ${camera}`);
  }
  if (values.input !== undefined && !existsSync(values.input)) {
    throw usageError(`--input ${values.input}: no such file or folder`);
  }
  const rate = values.rate ?? 'auto';
  if (rate !== 'auto' && !/^\d{1,3}$/.test(rate)) throw usageError(`--rate ${rate}: auto, or a whole number from 0`);

  const count = number('cameras', 1, MOST_CAMERAS) ?? 1;
  for (const [wrong, what] of [
    [count > 1 && camera !== 'simulated', '--cameras: only simulated ones can be several'],
    [count > 1 && values.link !== undefined, '--link: it is for one camera'],
    [values.secure && values.broker !== undefined, '--secure: it brings its own broker; leave out --broker'],
    [values.secure && values.link !== undefined, '--secure: a simulated link has no certificate; leave out --link'],
  ] as const) {
    if (wrong) throw usageError(what);
  }

  return {
    frames: number('frames', 1, 1e9),
    json: values.json,
    cameras: count,
    secure: values.secure ?? false,
    camera,
    input: values.input && resolve(values.input),
    once: values.once ?? false,
    bundle: resolve(values.bundle ?? defaultBundle()),
    fps: number('fps', 0, 120, false) ?? 5,
    partition: values.partition ?? 'auto',
    rate: rate === 'auto' ? 'auto' : Number(rate),
    deviceScale: number('device-scale', 0.01, 1000, false) ?? 8,
    seed: number('seed', 0, 2 ** 31) ?? DEFAULT_SEED,
    link: values.link === undefined ? undefined : parseLink(values.link),
    port: number('port', 0, 65535),
    broker: values.broker,
    verbose: values.verbose ?? false,
  };
}
