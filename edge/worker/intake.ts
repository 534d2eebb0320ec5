import {
  Coding,
  type Frame,
  FrameError,
  type FrameIdentity,
  identityOf,
  PARTITION_RAW,
  parseFrame,
} from '../../protocol/frame.js';
import { REFERENCE_CHECKSUM_BYTES } from '../../protocol/reference.js';
import type { FrameFailureCode } from '../../protocol/result.js';
import type { Topics } from '../../protocol/topics.js';
import type { Failure } from './answer.js';
import type { EdgeBundle } from './bundles.js';
import type { Address, Job } from './job.js';
import type { Route } from './route.js';

/** A message that will not be worked on. */
export interface Refusal {
  /** What is counted. */
  cause: string;
  /** There when the sender can be told: the checksum held, so the header is true. */
  answer?: Failure & { to: Address; identity: FrameIdentity };
}

/** What may come with an MQTT message. */
export interface FrameProperties {
  responseTopic?: string;
  correlationData?: Buffer;
  /** Kept by the broker from earlier: a frame of the past. */
  retain?: boolean;
  /** MQTT 5: seconds until the sender has no use for the answer. */
  messageExpiryInterval?: number;
  /** How long the sender waits for the answer, ms. */
  timeoutMs?: number;
  /** The trace that the sender draws, as it came: to be checked. */
  traceparent?: unknown;
}

export interface IntakeOptions {
  topics: Topics;
  bundles: ReadonlyMap<string, EdgeBundle>;
  /** Frames older than this are not worked on, ms. */
  maxAgeMs: number;
  /** Whether bundles are still being read: one that is not known may be among them. */
  reading?: () => boolean;
}

/**
 * From an MQTT message to a job, in bounded time and without decoding: topic, frame message, bundle, partition, rate,
 * payload length. Never throws, whatever the bytes are.
 */
export class Intake {
  constructor(readonly options: IntakeOptions) {}

  /** @param now performance.now() of the arrival */
  accept(topic: string, message: Uint8Array, properties: FrameProperties, now: number): Job | Refusal {
    const { topics, bundles, maxAgeMs } = this.options;
    const parsed = topics.parse(topic);
    if (parsed?.kind !== 'frame') return { cause: 'topic' };
    if (properties.retain) return { cause: 'retained' };
    const { device } = parsed;
    const { correlationData } = properties;
    const to: Address = { device, topic: topics.answer(device, properties.responseTopic), correlationData };
    const refuse = (identity: FrameIdentity, code: FrameFailureCode, message: string, hint?: string): Refusal => ({
      cause: code,
      answer: { to, identity, code, message, hint },
    });

    let frame: ReturnType<typeof parseFrame>;
    try {
      frame = parseFrame(message);
    } catch (error) {
      if (!(error instanceof FrameError)) throw error;
      const { code, identity } = error;
      if (identity === undefined) return { cause: code };
      const version = code === 'frame_version';
      const answer = refuse(identity, version ? 'unsupported_version' : 'bad_frame', error.message);
      return { ...answer, cause: code };
    }

    const identity = identityOf(frame);
    const bundle = bundles.get(frame.bundleId);
    if (bundle === undefined && this.options.reading?.()) {
      const text = 'this edge has just started and is still reading its releases';
      return { ...refuse(identity, 'overloaded', text, 'Try again in a moment.'), cause: 'starting' };
    }
    if (bundle === undefined) {
      const known = [...bundles.values()].map((b) => `${b.name} (${b.id})`).join(', ') || 'none';
      const hint = `Bundles of this edge: ${known}. Give both sides the same one.`;
      return refuse(identity, 'unknown_bundle', `this edge has no bundle ${frame.bundleId}`, hint);
    }
    const route = routeOf(bundle, frame);
    if (route === undefined && frame.coding === Coding.jpeg) {
      const hint = 'Send symbols or raw pixels, or add qualities to the bundle (docs/training.md).';
      return refuse(identity, 'unsupported_coding', `bundle ${bundle.name} takes no JPEG files`, hint);
    }
    if (route === undefined) {
      const text = `partition ${frame.partition}; bundle ${bundle.name} has 0..${bundle.routes.length - 1}`;
      return refuse(identity, 'unknown_partition', text);
    }
    const predicted = frame.coding === Coding.inter;
    if (predicted && route.decodeInter === undefined) {
      const hint = 'Send frames that stand alone (coding 1).';
      return refuse(identity, 'unsupported_coding', `no tables for predicted frames of ${route.partition}`, hint);
    }
    if (frame.rate >= route.rates) {
      return refuse(identity, 'unknown_rate', `rate ${frame.rate}; ${route.partition} has 0..${route.rates - 1}`);
    }
    const length = frame.payload.length - (predicted ? REFERENCE_CHECKSUM_BYTES : 0);
    if (length < route.minBytes || length > route.maxBytes) {
      const text = `payload of ${length} bytes; ${route.partition} has ${route.minBytes}..${route.maxBytes}`;
      return refuse(identity, 'bad_payload', text);
    }
    const { messageExpiryInterval = Number.POSITIVE_INFINITY, timeoutMs = Number.POSITIVE_INFINITY } = properties;
    const lifetime = Math.min(maxAgeMs, timeoutMs, 1000 * messageExpiryInterval);
    const { traceparent } = properties;
    return { to, device, frame, route, bytes: message.length, arrivedAt: now, expiresAt: now + lifetime, traceparent };
  }
}

function routeOf(bundle: EdgeBundle, { coding, partition }: Frame): Route | undefined {
  if (partition !== PARTITION_RAW) return bundle.routes[partition];
  return coding === Coding.jpeg ? bundle.jpeg : bundle.raw;
}

export const isRefusal = (outcome: Job | Refusal): outcome is Refusal => 'cause' in outcome;
