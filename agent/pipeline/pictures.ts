import type { Camera, Picture } from '../camera/camera.js';
import type { FlightControl } from './flight.js';

export interface PicturesParts {
  /** A camera as the settings say now. */
  open: () => Promise<Camera>;
  flight: FlightControl;
  /** Whether another picture is wanted at all. */
  more: () => boolean;
  /** Whether pictures come at a pace of their own; else one is taken whenever it can start at once. */
  paced: () => boolean;
  /** Told of every picture. */
  taken: () => void;
  /** Aborted when the agent ends. */
  stop: AbortSignal;
}

/** Takes pictures and offers them as frames, from one camera after the other. */
export class Pictures {
  #camera: Camera | undefined;
  /** Goes on with another camera between two pictures. */
  #handOver: (() => void) | undefined;
  /** Ends the wait for a picture: a camera that gives none must not hold up a change, or the end. */
  #waiting = new AbortController();

  constructor(readonly parts: PicturesParts) {
    const { stop } = parts;
    stop.addEventListener('abort', () => this.#waiting.abort(stop.reason), { once: true });
  }

  /** The camera in use, once it is open. */
  get camera(): Camera | undefined {
    return this.#camera;
  }

  /** @throws DeepcodError `camera_*` */
  async open(): Promise<Camera> {
    this.#camera = await this.parts.open();
    return this.#camera;
  }

  /** Until no more are wanted, or the input ends. @throws what the camera throws, and why it is to stop */
  async take(): Promise<void> {
    const { flight, more, paced, taken, stop } = this.parts;
    while (!stop.aborted && more()) {
      if (this.#handOver) await this.#change(this.#handOver);
      if (!paced()) await flight.room(this.#waiting.signal);
      if (!more()) break;
      const picture = await this.#next();
      if (picture === undefined) continue;
      if (picture === null) break;
      taken();
      flight.offer(picture);
    }
    if (!more()) flight.stop();
  }

  /** @param use called when the camera is closed, before it is opened again as the settings say then */
  changeCamera(use: () => void): Promise<void> {
    const { stop } = this.parts;
    return new Promise((resolve, reject) => {
      stop.addEventListener('abort', () => reject(stop.reason), { once: true });
      this.#handOver = () => {
        use();
        resolve();
      };
      this.#waiting.abort(new Error('the camera is changed'));
    });
  }

  async close(): Promise<void> {
    await this.#camera?.close();
  }

  /** @returns null: the input has ended; undefined: the camera is to be changed */
  async #next(): Promise<Picture | null | undefined> {
    const { signal } = this.#waiting;
    try {
      return (await this.#camera?.next(signal)) ?? null;
    } catch (error) {
      if (signal.aborted && !this.parts.stop.aborted) return undefined;
      throw error;
    }
  }

  /** Between two frames. Those on their way have their pictures; the one that waits would not fit the next engine. */
  async #change(handOver: () => void): Promise<void> {
    this.#handOver = undefined;
    this.#waiting = new AbortController();
    this.parts.flight.clear();
    await this.#camera?.close();
    handOver();
    await this.open();
  }
}
