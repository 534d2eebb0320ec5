import { ProtocolError } from './errors.js';

/** Base of all topics unless the configuration says otherwise. */
export const DEFAULT_BASE = 'deepcod';

const leaves = ['frame', 'result', 'status', 'health', 'decisions', 'ping'] as const;
const updateLeaves = ['request', 'chunk', 'status'] as const;
const isUpdateLeaf = (level: string): level is (typeof updateLeaves)[number] =>
  (updateLeaves as readonly string[]).includes(level);
const isLeaf = (level: string): level is (typeof leaves)[number] => (leaves as readonly string[]).includes(level);

const namePattern = /^[A-Za-z0-9_-]{1,64}$/;
const basePattern = /^[A-Za-z0-9_-]{1,64}(\/[A-Za-z0-9_-]{1,64}){0,5}$/;
/** Second level of the edges' own topics. */
const edgeLevel = 'edge';
/** Second levels that are not devices', so no device may have one as its name. */
const reserved: readonly string[] = [edgeLevel, 'alerts', 'events'];

/** What a topic under the base is about. */
export type Topic =
  | { kind: Exclude<(typeof leaves)[number], 'frame'>; device: string }
  /** `worker`: sent to this edge by name. */
  | { kind: 'frame'; device: string; worker?: string }
  | { kind: 'command'; device: string; command: string }
  | { kind: 'update-offer'; device: string; worker: string }
  | { kind: 'update-request' | 'update-chunk' | 'update-status'; device: string }
  | { kind: 'edge-status'; worker: string };

/** A valid device name: 1..64 of A-Z a-z 0-9 _ -, not `edge`, `alerts` or `events`. */
export function isDeviceName(name: string): boolean {
  return namePattern.test(name) && !reserved.includes(name);
}

/** A valid worker name: 1..64 of A-Z a-z 0-9 _ -. */
export function isWorkerName(name: string): boolean {
  return namePattern.test(name);
}

function checkedWorker(name: string): string {
  if (isWorkerName(name)) return name;
  throw new ProtocolError('topic_invalid', `worker name "${name}": 1 to 64 of A-Z a-z 0-9 _ -`);
}

/**
 * All topics under one base. Every name is checked, so that none can smuggle a `/`, `+` or `#` into a topic.
 * @throws ProtocolError `topic_invalid`
 */
export class Topics {
  readonly base: string;

  constructor(base: string = DEFAULT_BASE) {
    if (!basePattern.test(base)) {
      throw new ProtocolError('topic_invalid', `base topic "${base}": 1 to 6 levels of A-Z a-z 0-9 _ -, joined by /`);
    }
    this.base = base;
  }

  frame(device: string): string {
    return this.#of(device, 'frame');
  }
  /** For the edge of this name alone. */
  frameTo(device: string, worker: string): string {
    return `${this.#of(device, 'frame')}/${checkedWorker(worker)}`;
  }
  result(device: string): string {
    return this.#of(device, 'result');
  }
  status(device: string): string {
    return this.#of(device, 'status');
  }
  health(device: string): string {
    return this.#of(device, 'health');
  }
  /** What a device sends to itself, to see how the link is. */
  ping(device: string): string {
    return this.#of(device, 'ping');
  }
  /** Answers to the command `explain`. */
  decisions(device: string): string {
    return this.#of(device, 'decisions');
  }
  /** @param command one or more levels, each like a name */
  command(device: string, command: string): string {
    if (!basePattern.test(command)) throw new ProtocolError('topic_invalid', `command "${command}": A-Z a-z 0-9 _ -`);
    return `${this.#of(device, 'command')}/${command}`;
  }
  /** A camera's state for Home Assistant, and its picture. */
  homeAssistant(device: string): string {
    return this.#of(device, 'ha');
  }
  homeAssistantPicture(device: string): string {
    return `${this.homeAssistant(device)}/picture`;
  }
  /** What was seen, as it begins, changes and ends. */
  events(): string {
    return `${this.base}/events`;
  }
  /** Alerts of one camera. */
  alerts(device: string, severity: 'info' | 'warning' | 'critical'): string {
    return `${this.base}/alerts/${this.#name(device)}/${severity}`;
  }
  edgeStatus(worker: string): string {
    return `${this.base}/${edgeLevel}/${checkedWorker(worker)}/status`;
  }
  /** What an edge has for a device to update to. */
  updateOffer(device: string, worker: string): string {
    return `${this.#of(device, 'update')}/offer/${checkedWorker(worker)}`;
  }
  /** A device asks for a piece of a file, gets it, and says how its update goes. */
  updateRequest(device: string): string {
    return `${this.#of(device, 'update')}/request`;
  }
  updateChunk(device: string): string {
    return `${this.#of(device, 'update')}/chunk`;
  }
  updateStatus(device: string): string {
    return `${this.#of(device, 'update')}/status`;
  }

  /** Filters for subscriptions. */
  readonly filters = {
    commands: (device: string): string => `${this.#of(device, 'command')}/#`,
    allFrames: (): string => `${this.base}/+/frame`,
    /** MQTT 5: the broker gives each frame to one of the workers of a group. @param group like a name */
    allFramesShared: (group: string): string => `$share/${checkedWorker(group)}/${this.base}/+/frame`,
    /** Frames that devices send to one worker by name. */
    framesTo: (worker: string): string => `${this.base}/+/frame/${checkedWorker(worker)}`,
    allResults: (): string => `${this.base}/+/result`,
    allStatus: (): string => `${this.base}/+/status`,
    allHealth: (): string => `${this.base}/+/health`,
    allEdgeStatus: (): string => `${this.base}/${edgeLevel}/+/status`,
    updateOffers: (device: string): string => `${this.#of(device, 'update')}/offer/+`,
    /** One edge's offers to all devices. */
    allUpdateOffers: (worker: string): string => `${this.base}/+/update/offer/${checkedWorker(worker)}`,
    allUpdateRequests: (): string => `${this.base}/+/update/request`,
    allUpdateStatus: (): string => `${this.base}/+/update/status`,
  };

  /** What a topic is about, or undefined when it is none of ours. Never throws: topics come from outside. */
  parse(topic: string): Topic | undefined {
    if (topic.length > 1024 || !topic.startsWith(`${this.base}/`)) return undefined;
    const [first, second, ...rest] = topic.slice(this.base.length + 1).split('/');
    if (first === edgeLevel) {
      return rest.length === 1 && rest[0] === 'status' && isWorkerName(second)
        ? { kind: 'edge-status', worker: second }
        : undefined;
    }
    if (!isDeviceName(first)) return undefined;
    if (second === 'command') {
      const command = rest.join('/');
      return basePattern.test(command) ? { kind: 'command', device: first, command } : undefined;
    }
    if (second === 'frame' && rest.length === 1 && isWorkerName(rest[0])) {
      return { kind: 'frame', device: first, worker: rest[0] };
    }
    if (second === 'update') return parseUpdate(first, rest);
    if (rest.length > 0) return undefined;
    return isLeaf(second) ? { kind: second, device: first } : undefined;
  }

  /**
   * Where the answer to a device's frame goes. An MQTT 5 response topic is followed only below the device's own result
   * topic: a device must not make the edge publish where the device itself could not.
   */
  answer(device: string, responseTopic?: string): string {
    const own = this.result(device);
    if (responseTopic === undefined || !responseTopic.startsWith(`${own}/`)) return own;
    return basePattern.test(responseTopic.slice(own.length + 1)) ? responseTopic : own;
  }

  #of(device: string, leaf: string): string {
    return `${this.base}/${this.#name(device)}/${leaf}`;
  }

  #name(device: string): string {
    if (!isDeviceName(device)) {
      throw new ProtocolError(
        'topic_invalid',
        `device name "${device}": 1 to 64 of A-Z a-z 0-9 _ -, and not ${reserved.map((name) => `"${name}"`).join(', ')}`,
      );
    }
    return device;
  }
}

function parseUpdate(device: string, [what, worker, ...more]: string[]): Topic | undefined {
  if (more.length > 0) return undefined;
  if (what === 'offer') {
    return worker !== undefined && isWorkerName(worker) ? { kind: 'update-offer', device, worker } : undefined;
  }
  return worker === undefined && what !== undefined && isUpdateLeaf(what)
    ? { kind: `update-${what}`, device }
    : undefined;
}
