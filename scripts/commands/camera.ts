import { usageError } from '../../platform/main.js';
import { flag, parseOptionsAndNames, text } from '../../platform/options.js';
import { didYouMean } from '../../platform/suggest.js';
import { list } from './camera/list.js';
import { shot } from './camera/shot.js';

export const usage = `usage: ./scripts/deepcod camera list [--json]
       ./scripts/deepcod camera shot [--config agent.yaml | --source SOURCE ...] -o FILE.jpg

list shows the cameras of this device and what they can do; shot takes one picture, as the agent would, and says what is odd
about it. The agent holds its camera: stop it first. docs/cameras.md explains sources and messages.

  --json                 list: as JSON
  --config FILE          shot: the agent's configuration (camera.*); the options below override it
  --source SOURCE        shot: rpicam, v4l2, rtsp, simulated, replay
  --index N              shot: rpicam: which camera
  --device DEVICE        shot: v4l2: /dev/video0
  --url URL              shot: rtsp: address
  --username NAME        shot: rtsp: user
  --password-file FILE   shot: rtsp: file that holds the password
  --size WxH             shot: sensor mode, or size to take pictures in
  --rotation DEGREES     shot: 0 or 180
  --width N              shot: pixels, at most (default: 1280)
  -o, --output FILE      shot: where to write; .jpg, .png or .webp
  --help                 this text

Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 4 camera (list: there is none).`;

/** `deepcod camera list`, `deepcod camera shot` */
export async function run(args: string[]): Promise<number> {
  const { values, names } = parseOptionsAndNames(
    args,
    {
      json: flag,
      config: text,
      source: text,
      index: text,
      device: text,
      url: text,
      username: text,
      'password-file': text,
      size: text,
      rotation: text,
      width: text,
      output: { ...text, short: 'o' },
    },
    1,
  );
  const [what] = names;
  if (what === 'list') return list(values.json ?? false);
  if (what === 'shot') return shot(values);
  throw usageError(what === undefined ? 'say list or shot' : `${what}: ${didYouMean(what, ['list', 'shot'])}`);
}
