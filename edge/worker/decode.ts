import { HuffmanError } from '../../agent/huffman/index.js';
import type { Failure } from './answer.js';
import type { Job } from './job.js';
import { JpegError } from './jpeg.js';
import type { ReferenceStore } from './references.js';
import { decodeSymbols } from './symbols.js';
import type { Tail } from './tail.js';

/** A batch as its tail takes it. */
export interface DecodedBatch {
  /** Frame after frame, as many cells each as the tail's route has. */
  input: Uint8Array;
  /** The frames in it, and the time that decoding each took, ms. */
  jobs: Job[];
  ms: number[];
  /** Frames that are not in it, and why. */
  failed: { job: Job; failure: Failure }[];
}

/**
 * Decodes frames of one route into their tail's buffer; JPEG files at the same time, in sharp's threads.
 * @throws what is no fault of a frame
 */
export async function decodeBatch(
  tail: Pick<Tail, 'route' | 'buffer'>,
  jobs: readonly Job[],
  references: ReferenceStore,
): Promise<DecodedBatch> {
  const { cells } = tail.route;
  const batch: DecodedBatch = { input: tail.buffer(jobs.length), jobs: [], ms: [], failed: [] };
  const pictures = jobs.map(({ route, frame }) => timed(() => route.decodePicture?.(frame.payload, frame)));
  for (const [i, job] of jobs.entries()) {
    const picture = await pictures[i];
    const start = performance.now();
    const at = batch.jobs.length * cells;
    try {
      if (picture.error) throw picture.error;
      if (picture.value) batch.input.set(picture.value, at);
      else if (!decodeSymbols(job, references, batch.input.subarray(at, at + cells))) {
        batch.failed.push({ job, failure: needsKeyFrame(job) });
        continue;
      }
    } catch (error) {
      if (!(error instanceof HuffmanError || error instanceof JpegError)) throw error;
      batch.failed.push({ job, failure: { code: 'bad_payload', message: error.message } });
      continue;
    }
    batch.jobs.push(job);
    batch.ms.push(picture.value ? picture.ms : performance.now() - start);
  }
  return batch;
}

function needsKeyFrame({ frame }: Job): Failure {
  const message = `frame ${frame.frame - frame.reference}, which this one is predicted from, is not here`;
  return { code: 'need_key_frame', message, hint: 'Send a frame that stands alone.' };
}

/** Awaits a promise, whatever comes of it, and says how long that took, ms. */
async function timed<T>(work: () => Promise<T> | undefined): Promise<{ value?: T; error?: unknown; ms: number }> {
  const start = performance.now();
  try {
    return { value: await work(), ms: performance.now() - start };
  } catch (error) {
    return { error, ms: performance.now() - start };
  }
}
