import { type FrameFailure, isFailure } from '../../protocol/result.js';
import type { Choice } from '../partition/choices.js';
import type { BufferPool } from './buffers.js';
import type { FrameEncoder } from './encode.js';
import type { Heads } from './head.js';
import type { Matcher } from './match.js';
import { splitNetwork } from './network.js';
import type { Preprocessor } from './preprocess.js';
import type { Trip } from './trip.js';

export interface RemoteParts {
  preprocessor: Preprocessor;
  buffers: BufferPool;
  heads: Heads;
  encoder: FrameEncoder;
  matcher: Matcher;
  /** Hands a message to the socket; false when it was not taken. */
  publish: (message: Uint8Array) => boolean;
  timeoutMs: number;
}

/** The trip of frames that the edge answers. */
export class RemoteTrips {
  constructor(readonly parts: RemoteParts) {}

  /**
   * Takes a frame to the edge and back; fills in the trip, steps and outcome included.
   * @returns the edge's refusal, if that is what came back
   * @throws what head and encoder throw
   */
  async fly(trip: Trip, choice: Choice): Promise<FrameFailure | undefined> {
    const { matcher, publish, timeoutMs } = this.parts;
    trip.partition = choice.id;
    trip.rate = choice.rate;
    const message = await this.#message(trip, choice);
    trip.bytes = message.length;
    const answered = matcher.wait(trip.frame, timeoutMs);
    const sentAt = performance.now();
    if (!publish(message)) matcher.unsent(trip.frame);
    trip.publishMs = performance.now() - sentAt;
    const answer = await answered;
    if (answer.kind === 'none') {
      trip.outcome = answer.why;
      return undefined;
    }
    trip.worker = answer.message.worker;
    if (isFailure(answer.message)) {
      trip.outcome = 'refused';
      trip.refusal = answer.message.error.code;
      return answer.message;
    }
    const { edge_ms, detections } = answer.message;
    const { up, down } = splitNetwork(answer.at - sentAt, edge_ms.total, message.length, answer.bytes);
    const { queue, decode, tail, post } = edge_ms;
    Object.assign(trip.steps, { up, queue, decode, tail, post, down });
    trip.detections = detections;
    trip.edgeMs = edge_ms.total;
    trip.outcome = 'result';
    return undefined;
  }

  async #message(trip: Trip, choice: Choice): Promise<Uint8Array> {
    const { preprocessor, buffers, heads, encoder } = this.parts;
    const { picture, steps } = trip;
    const info = { frame: trip.frame, sourceWidth: picture.sourceWidth, sourceHeight: picture.sourceHeight };
    const start = performance.now();
    let input = buffers.take();
    preprocessor.place(picture, input);
    const placed = performance.now();
    steps.preprocess = placed - start;
    try {
      if (choice.id === 'raw') return encoder.pixels(input, info);
      const head = await heads.run(choice.partition, choice.rate, input);
      input = head.picture;
      const coded = performance.now();
      steps.head = coded - placed;
      trip.headRunMs = head.runMs;
      const message = encoder.symbols(choice.partition, choice.rate, head.symbols, info);
      steps.encode = performance.now() - coded;
      return message;
    } finally {
      buffers.give(input);
    }
  }
}
