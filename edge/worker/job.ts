import type { Frame } from '../../protocol/frame.js';
import type { Route } from './route.js';

/** Where an answer goes. */
export interface Address {
  device: string;
  topic: string;
  /** MQTT 5: comes back with the answer. */
  correlationData?: Buffer;
}

/** A frame that passed every check that can be made without decoding it. */
export interface Job {
  to: Address;
  device: string;
  frame: Frame;
  route: Route;
  /** Size of the message, bytes. */
  bytes: number;
  /** performance.now() of the message's arrival, and when it is too old to be answered. */
  arrivedAt: number;
  expiresAt: number;
  /** The trace that its device draws, as it came. */
  traceparent?: unknown;
}
