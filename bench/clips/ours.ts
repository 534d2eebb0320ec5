import type { Picture } from '../../agent/camera/camera.js';
import { FrameEncoder } from '../../agent/pipeline/encode.js';
import { Heads } from '../../agent/pipeline/head.js';
import type { Preprocessor } from '../../agent/pipeline/preprocess.js';
import { References } from '../../agent/pipeline/references.js';
import type { EdgeBundle } from '../../edge/worker/bundles.js';
import { ReferenceStore } from '../../edge/worker/references.js';
import { decodeSymbols } from '../../edge/worker/symbols.js';
import { Tail } from '../../edge/worker/tail.js';
import { parseFrame } from '../../protocol/frame.js';
import type { Detection } from '../../protocol/result.js';
import { postprocess } from '../../protocol/tasks/postprocess.js';

/** An answer takes so long: at 15 pictures a second the reference is the last but one. */
export const ANSWER_MS = 100;

/** One partition point and rate over a clip. */
export interface OursMeasured {
  /** Mean size of the frame messages, header included: all of them key frames, and as the agent sends them. */
  keyBytes: number;
  bytes: number;
  keyFrames: number;
  /** Of the frames shown, likewise: a predicted frame may keep symbols of the one before. */
  keyDetections: Detection[][];
  detections: Detection[][];
}

export interface ClipFrames {
  pictures: readonly Picture[];
  fps: number;
  /** Every so many frames are shown to the service. */
  every: number;
}

/**
 * Sends a clip through the agent's head, encoder and references, and the edge's reference store and decoder.
 * @throws Error where decoded symbols are not those of the head
 */
export async function ours(
  edge: EdgeBundle,
  partition: number,
  rate: number,
  { pictures, fps, every }: ClipFrames,
  preprocessor: Preprocessor,
  keyIntervalMs: number,
): Promise<OursMeasured> {
  const { manifest } = edge.bundle;
  const route = edge.routes[partition];
  const alone = new FrameEncoder(edge.bundle, 1);
  const encoder = new FrameEncoder(edge.bundle, 1);
  const references = new References(keyIntervalMs);
  const store = new ReferenceStore(2 ** 26);
  const heads = new Heads(edge.bundle, 1);
  const tail = await Tail.open(route, { provider: 'cpu', threads: 1 });
  const sums = { key: 0, sent: 0, keyFrames: 0 };
  const found: Record<'key' | 'sent', Detection[][]> = { key: [], sent: [] };
  let input: Uint8Array = new Uint8Array(preprocessor.bytes);
  let answered = 0;
  try {
    for (const [frame, picture] of pictures.entries()) {
      const now = (frame * 1000) / fps;
      while (answered < frame && (answered * 1000) / fps + ANSWER_MS <= now) references.answered(answered++, 'bench');
      preprocessor.place(picture, input);
      const head = await heads.run(partition, rate, input);
      input = head.picture;
      const { symbols } = head;
      const info = { frame, sourceWidth: picture.sourceWidth, sourceHeight: picture.sourceHeight };
      const source = { width: picture.sourceWidth, height: picture.sourceHeight };
      const show = async (kind: 'key' | 'sent', fed: Uint8Array) => {
        const { outputs } = await tail.run(fed, [rate]);
        found[kind].push(postprocess(outputs, 0, manifest, source, { score: 0.001, limit: 100 }));
      };
      sums.key += alone.symbols(partition, rate, symbols, info).length;
      const shown = frame % every === 0;
      if (shown) {
        const fed = tail.buffer(1);
        fed.set(symbols);
        await show('key', fed);
      }
      const reference = encoder.predicts(partition) && references.choose(frame, partition, rate, 'bench', now);
      const sent = reference
        ? encoder.shortest(partition, rate, head, info, reference)
        : { message: encoder.symbols(partition, rate, symbols, info), key: true };
      references.sent({ frame, partition, rate, symbols }, sent.key, now);
      sums.sent += sent.message.length;
      if (sent.key) sums.keyFrames++;

      const fed = tail.buffer(1);
      const job = { device: 'bench', frame: parseFrame(sent.message), route };
      if (!decodeSymbols(job, store, fed)) throw new Error(`the reference of frame ${frame} is not at the edge`);
      if (Buffer.compare(fed, symbols) !== 0)
        throw new Error(`frame ${frame} does not come back: a fault of the coding`);
      if (shown) await show('sent', fed);
    }
  } finally {
    await Promise.all([tail.close(), heads.close()]);
  }
  const mean = (sum: number) => sum / pictures.length;
  return {
    keyBytes: mean(sums.key),
    bytes: mean(sums.sent),
    keyFrames: sums.keyFrames,
    keyDetections: found.key,
    detections: found.sent,
  };
}
