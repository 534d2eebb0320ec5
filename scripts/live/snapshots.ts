import sharp from 'sharp';
import type { Picture } from '../../agent/camera/camera.js';

/** Least time between two snapshots, ms: about five a second. */
const EVERY_MS = 200;
const JPEG_QUALITY = 75;

/** Takes what the camera sees as JPEG; the page keeps it until the frame's result is there. */
export type KeepSnapshot = (session: number, frame: number, jpeg: Buffer) => void;

/**
 * Pictures of the camera for the page: a few a second, never two at a time, so that looking costs the frames little.
 * What crosses the wire between agent and edge has no picture in it; only where both run together can it be shown.
 */
export class Snapshots {
  #busy = false;
  #last = Number.NEGATIVE_INFINITY;

  constructor(readonly keep: KeepSnapshot) {}

  /** Offers a picture; most are left out. Never throws. */
  offer(session: number, frame: number, { data, width, height }: Picture): void {
    const now = performance.now();
    if (this.#busy || now - this.#last < EVERY_MS) return;
    this.#busy = true;
    this.#last = now;
    sharp(data, { raw: { width, height, channels: 3 } })
      .jpeg({ quality: JPEG_QUALITY })
      .toBuffer()
      .then(
        (jpeg) => this.keep(session, frame, jpeg),
        () => {},
      )
      .finally(() => {
        this.#busy = false;
      });
  }
}
