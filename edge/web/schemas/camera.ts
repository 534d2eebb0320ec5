import {
  amount,
  cameraName,
  count,
  flag,
  type Json,
  label,
  list,
  map,
  object,
  ref,
  text,
  time,
  word,
} from './build.js';

const bundle = object({ id: text(16), name: text(128) });
const partition = text(128, 'partition point in use, `raw` or `device`');
const figures = {
  partition,
  rate: count('rate of the codec'),
  fps: amount('results per second, recent'),
  bytes_mean: amount('of a frame message, recent'),
  bandwidth_bps: amount('what the device holds the link to be, bits per second'),
  total_ms: amount('p50 from capture to result, ms'),
};

const summary = {
  name: cameraName,
  state: word(['online', 'silent', 'offline'], '`silent`: it said nothing for 30 s, and no goodbye'),
  last_seen: time(),
  bundle,
  ...figures,
  picture: flag('whether there is a picture of it now'),
  open_alerts: count('alerts that nobody has closed'),
};
const summaryOptional = ['bundle', ...Object.keys(figures)];

export const cameraSchemas: Json[] = [
  { $id: 'CameraSummary', ...object(summary, summaryOptional) },
  {
    $id: 'Camera',
    ...object(
      {
        ...summary,
        frames: count('frame messages since the edge started'),
        results: count(),
        failures: count(),
        bytes: count(),
        steps_ms: map(amount(), 'p50 of each step of a frame’s trip, ms, by step'),
        drops: map(count(), 'frames not sent since the device started, by cause'),
        versions: map(text(128)),
        uptime_s: amount(),
        waiting_results: count('results that the device keeps until the broker takes them'),
        reason: text(64, 'why the partition point was chosen: a code'),
        why: text(500, 'the same as a sentence'),
        labels: list(label, { description: 'classes that its bundle knows' }),
        choices: list(ref('Choice'), { description: 'what the command `partition` may choose from' }),
        errors: list(ref('CameraError'), { description: 'what went wrong lately, newest last' }),
      },
      [...summaryOptional, 'steps_ms', 'drops', 'versions', 'uptime_s', 'waiting_results', 'reason', 'why'],
    ),
  },
  { $id: 'Choice', ...object({ partition, rates: list(count(), { description: 'rates of this point' }) }) },
  {
    $id: 'CameraError',
    ...object({ code: text(64), message: text(2000), hint: text(2000), count: count(), at: time() }, ['hint']),
  },
  {
    $id: 'Sample',
    description: 'one minute of a camera, or several together',
    ...object(
      {
        at: time('start, milliseconds since 1970'),
        results: count('frames with a result'),
        failures: count('frames without one'),
        drops: count('frames that the device did not send'),
        bytes: count('of frame messages'),
        p50_ms: amount('from capture to result where the device says so, else at the edge'),
        p95_ms: amount(),
        steps_ms: map(amount(), 'mean of each step, ms'),
        counts: map(object({ max: count(), mean: amount() }), 'detections in a frame, by class'),
        partition,
        rate: count(),
      },
      ['p50_ms', 'p95_ms', 'partition', 'rate'],
    ),
  },
  {
    $id: 'Change',
    description: 'the partition point or the rate changed',
    ...object({ at: time(), partition, rate: count(), reason: text(64), why: text(500) }, ['reason', 'why']),
  },
];
