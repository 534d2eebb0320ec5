import { Coding } from '../../protocol/frame.js';
import { splitPredicted } from '../../protocol/reference.js';
import type { Job } from './job.js';
import type { ReferenceStore } from './references.js';

/**
 * Decodes a frame that was let in, and keeps its symbols where later frames may be predicted from them.
 * @param references finds what a predicted frame refers to
 * @param out takes the symbols, or the pixels, as many as the route has cells
 * @returns false if the frame's reference is missing: nothing was written, its device should send a key frame
 * @throws HuffmanError for a payload that is no such frame; nothing is kept
 */
export function decodeSymbols(
  { device, frame, route }: Pick<Job, 'device' | 'frame' | 'route'>,
  references: ReferenceStore,
  out: Uint8Array,
): boolean {
  if (frame.coding === Coding.inter) {
    const { checksum, coded } = splitPredicted(frame.payload);
    const reference = references.find(device, frame, checksum);
    if (reference === undefined) return false;
    route.decodeInter?.(coded, reference, frame.rate, out);
  } else {
    route.decode(frame.payload, frame.rate, out);
  }
  if (route.decodeInter !== undefined) references.keep(device, frame, out);
  return true;
}
