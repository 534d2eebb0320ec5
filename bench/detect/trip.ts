import type { Picture } from '../../agent/camera/camera.js';
import { pictureBuffers } from '../../agent/pipeline/buffers.js';
import { FrameEncoder, type FrameInfo } from '../../agent/pipeline/encode.js';
import { Heads } from '../../agent/pipeline/head.js';
import type { Preprocessor } from '../../agent/pipeline/preprocess.js';
import type { EdgeBundle } from '../../edge/worker/bundles.js';
import { Intake, isRefusal } from '../../edge/worker/intake.js';
import { Tail } from '../../edge/worker/tail.js';
import type { Detection } from '../../protocol/result.js';
import { postprocess } from '../../protocol/tasks/postprocess.js';
import { Topics } from '../../protocol/topics.js';
import { openDeviceTrip } from './device.js';

export interface DetectOptions {
  /** A partition point of the bundle, `raw` or `jpeg` (the picture over the link) or `device` (nothing over the link). */
  partition: string;
  rate: number;
  score: number;
  limit: number;
  iou: number;
  threads?: number;
}

export interface DetectedFrame {
  name: string;
  width: number;
  height: number;
  /** Of the frame message, header included; 0 for `device`. */
  bytes: number;
  capture_ms: number;
  preprocess_ms: number;
  head_ms: number;
  encode_ms: number;
  decode_ms: number;
  tail_ms: number;
  post_ms: number;
  detections: Detection[];
}

export interface Trip {
  frame(number: number, picture: Picture, preprocessor: Preprocessor): Promise<Omit<DetectedFrame, 'name'>>;
  close(): Promise<void>;
}

const SESSION = 1;
const DEVICE = 'bench';

/**
 * One frame after the other from picture to detections, through the agent's and the edge's own modules.
 * @param clock milliseconds; what steps are timed with. `head_ms` and `tail_ms` hold the way into the thread and back
 * @throws DeepcodError when a model or a table cannot be opened; Error when the edge refuses a frame
 */
export async function openTrip(
  edge: EdgeBundle,
  options: DetectOptions,
  clock: () => number = () => performance.now(),
): Promise<Trip> {
  const { bundle } = edge;
  const { manifest } = bundle;
  if (options.partition === 'device') return openDeviceTrip(bundle, options, clock);
  const index = manifest.partitions.findIndex(({ id }) => id === options.partition);
  const topics = new Topics('bench');
  const intake = new Intake({ topics, bundles: new Map([[edge.id, edge]]), maxAgeMs: Number.POSITIVE_INFINITY });
  const encoder = new FrameEncoder(bundle, SESSION);
  const heads = new Heads(bundle, options.threads);
  const route = index < 0 ? edge.raw : edge.routes[index];
  const tail = await Tail.open(route, { provider: 'cpu', threads: options.threads });
  const buffers = pictureBuffers(manifest.input);

  /** The edge's part: from symbols or pixels in `fill` to detections. */
  const answer = async (
    source: { width: number; height: number },
    fill: (out: Uint8Array) => void | Promise<void>,
    rate: number,
  ) => {
    const start = clock();
    const symbols = tail.buffer(1);
    await fill(symbols);
    const decode_ms = clock() - start;
    const begun = clock();
    const { outputs } = await tail.run(symbols, [rate]);
    const tail_ms = clock() - begun;
    const before = clock();
    const detections = postprocess(outputs, 0, manifest, source, options);
    return { decode_ms, tail_ms, post_ms: clock() - before, detections };
  };

  const encode = (symbols: Uint8Array, info: FrameInfo): Uint8Array | Promise<Uint8Array> => {
    if (index >= 0) return encoder.symbols(index, options.rate, symbols, info);
    return options.partition === 'jpeg' ? encoder.jpeg(options.rate, symbols, info) : encoder.pixels(symbols, info);
  };

  return {
    async frame(number, picture, preprocessor) {
      const size = { width: picture.sourceWidth, height: picture.sourceHeight };
      const started = clock();
      const colours = index < 0 ? 'rgb' : heads.coloursFor(index, preprocessor.coloursOf(picture));
      let input = buffers[colours].take();
      preprocessor.place(picture, input, colours);
      const times = { capture_ms: picture.captureMs, preprocess_ms: clock() - started };
      const info = { frame: number, sourceWidth: size.width, sourceHeight: size.height };
      let head_ms = 0;
      let symbols = input;
      if (index >= 0) {
        const begun = clock();
        const head = await heads.run(index, options.rate, input, colours);
        head_ms = clock() - begun;
        symbols = head.symbols;
        input = head.picture;
      }
      const before = clock();
      const message = await encode(symbols, info);
      buffers[colours].give(input);
      const encode_ms = clock() - before;
      const job = intake.accept(topics.frame(DEVICE), message, {}, performance.now());
      if (isRefusal(job)) throw new Error(`the edge refuses a frame: ${job.answer?.message ?? job.cause}`);
      const { payload, rate } = job.frame;
      const fill = async (out: Uint8Array) => {
        if (job.route.decodePicture) out.set(await job.route.decodePicture(payload, job.frame));
        else job.route.decode(payload, rate, out);
      };
      const rest = await answer(size, fill, index < 0 ? 0 : rate);
      return { ...size, ...times, bytes: message.length, head_ms, encode_ms, ...rest };
    },
    async close() {
      await Promise.all([tail.close(), heads.close()]);
    },
  };
}
