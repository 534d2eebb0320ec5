import type { CodingWord } from '../../protocol/frame.js';
import { type FrameFailure, isFailure } from '../../protocol/result.js';
import type { Choice } from '../partition/choices.js';
import type { Destination, Home } from '../partition/home.js';
import type { BufferPool } from './buffers.js';
import type { Colours } from './colours.js';
import type { FrameEncoder, FrameInfo } from './encode.js';
import type { Heads } from './head.js';
import type { Answer, Matcher } from './match.js';
import { splitNetwork } from './network.js';
import type { Preprocessor } from './preprocess.js';
import type { References } from './references.js';
import type { Trip } from './trip.js';

export interface RemoteParts {
  preprocessor: Preprocessor;
  buffers: Record<Colours, BufferPool>;
  heads: Heads;
  encoder: FrameEncoder;
  references: References;
  matcher: Matcher;
  home: Pick<Home, 'next'>;
  /** Hands a message to the socket, for one edge or for whoever the broker chooses; false when it was not taken. */
  publish: (message: Uint8Array, worker?: string, traceparent?: string) => boolean;
  timeoutMs: number;
}

/** A frame as it is to be sent; symbols unless it is the picture. */
interface Coded {
  message: Uint8Array;
  coding: CodingWord;
  symbols?: Uint8Array;
}

/** Refusals of a predicted frame that the same frame, sent as a key frame, does not meet. */
const needsKey = new Set(['need_key_frame', 'unsupported_coding']);

/** The trip of frames that the edge answers. */
export class RemoteTrips {
  constructor(readonly parts: RemoteParts) {}

  /**
   * Takes a frame to the edge and back; fills in the trip, steps and outcome included. It is sent again at once, as a key
   * frame, where the edge has not what it was predicted from, and where the edge that it was sent to by name is gone.
   * @returns the edge's refusal, if that is what came back
   * @throws what head and encoder throw
   */
  async fly(trip: Trip, choice: Choice): Promise<FrameFailure | undefined> {
    const { references, home, timeoutMs } = this.parts;
    trip.partition = choice.id;
    trip.rate = choice.rate;
    let destination = home.next();
    let coded = await this.#code(trip, choice, destination);
    const until = performance.now() + timeoutMs;
    const left = () => Math.max(0, until - performance.now());
    let { answer, sentAt } = await this.#send(trip, coded, choice, destination, timeoutMs);
    while (answer.kind === 'none' && answer.why === 'edge_lost' && left() > 0) {
      references.lost(trip.frame);
      destination = home.next();
      if (coded.symbols) coded = this.#key(trip, choice, coded.symbols);
      ({ answer, sentAt } = await this.#send(trip, coded, choice, destination, left()));
    }
    const refused = answer.kind === 'answer' && isFailure(answer.message) ? answer.message.error.code : '';
    if (coded.symbols && coded.coding === 'inter' && needsKey.has(refused)) {
      if (refused === 'need_key_frame') references.missing();
      else references.giveUp();
      const key = this.#key(trip, choice, coded.symbols);
      ({ answer, sentAt } = await this.#send(trip, key, choice, destination, left()));
    }
    return this.#settle(trip, answer, sentAt);
  }

  /** What the answer means for the trip and for frames after it. */
  #settle(trip: Trip, answer: Answer, sentAt: number): FrameFailure | undefined {
    const { references } = this.parts;
    if (answer.kind === 'none') {
      references.lost(trip.frame);
      trip.outcome = answer.why === 'edge_lost' ? 'timeout' : answer.why;
      trip.waitedMs = performance.now() - sentAt;
      return undefined;
    }
    const { message } = answer;
    trip.worker = message.worker;
    if (isFailure(message)) {
      if (message.error.code === 'overloaded') references.skipped(trip.frame);
      else references.lost(trip.frame);
      trip.outcome = 'refused';
      trip.waitedMs = answer.at - sentAt;
      trip.refusal = message.error.code;
      trip.refusedWaitMs = message.error.wait_ms;
      return message;
    }
    references.answered(trip.frame, message.worker);
    trip.answerBytes = answer.bytes;
    const { edge_ms, detections } = message;
    const { up, down } = splitNetwork(answer.at - sentAt, edge_ms.total, trip.bytes, answer.bytes);
    const { queue, decode, tail, post } = edge_ms;
    Object.assign(trip.steps, { up, queue, decode, tail, post, down });
    trip.detections = detections;
    trip.edgeMs = edge_ms.total;
    trip.outcome = 'result';
    return undefined;
  }

  async #send(
    trip: Trip,
    { message, coding, symbols }: Coded,
    { partition, rate }: Choice,
    { to }: Destination,
    timeoutMs: number,
  ): Promise<{ answer: Answer; sentAt: number }> {
    const { encoder, matcher, publish, references } = this.parts;
    const { frame } = trip;
    trip.coding = coding;
    trip.bytes = message.length;
    trip.sentTo = to;
    const answered = matcher.wait(frame, timeoutMs, to);
    const sentAt = performance.now();
    if (symbols && encoder.predicts(partition)) {
      references.sent({ frame, partition, rate, symbols }, coding === 'key', sentAt);
    }
    if (!publish(message, to, trip.traceparent)) matcher.unsent(frame);
    trip.publishMs = performance.now() - sentAt;
    return { answer: await answered, sentAt };
  }

  async #code(trip: Trip, choice: Choice, { certain }: Destination): Promise<Coded> {
    const { preprocessor, buffers, heads, encoder, references } = this.parts;
    const { picture, steps } = trip;
    const start = performance.now();
    const { partition, rate } = choice;
    const colours = partition < 0 ? 'rgb' : heads.coloursFor(partition, preprocessor.coloursOf(picture));
    let input = buffers[colours].take();
    preprocessor.place(picture, input, colours);
    const placed = performance.now();
    steps.preprocess = placed - start;
    try {
      if (choice.id === 'raw') return { message: encoder.pixels(input, infoOf(trip)), coding: 'raw' };
      if (choice.id === 'jpeg') {
        const message = await encoder.jpeg(choice.rate, input, infoOf(trip));
        steps.encode = performance.now() - placed;
        return { message, coding: 'jpeg' };
      }
      const head = await heads.run(partition, rate, input, colours);
      input = head.picture;
      const now = performance.now();
      steps.head = now - placed;
      trip.headRunMs = head.runMs;
      const { symbols } = head;
      const reference = encoder.predicts(partition) && references.choose(trip.frame, partition, rate, certain, now);
      if (!reference) return this.#key(trip, choice, symbols);
      const { message, key } = encoder.shortest(partition, rate, head, infoOf(trip), reference);
      steps.encode = performance.now() - now;
      return { message, coding: key ? 'key' : 'inter', symbols };
    } finally {
      buffers[colours].give(input);
    }
  }

  #key(trip: Trip, { partition, rate }: Choice, symbols: Uint8Array): Coded {
    const start = performance.now();
    const message = this.parts.encoder.symbols(partition, rate, symbols, infoOf(trip));
    trip.steps.encode = (trip.steps.encode ?? 0) + performance.now() - start;
    return { message, coding: 'key', symbols };
  }
}

function infoOf({ frame, picture }: Trip): FrameInfo {
  return { frame, sourceWidth: picture.sourceWidth, sourceHeight: picture.sourceHeight };
}
