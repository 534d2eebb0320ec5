/**
 * Who may do what at a broker. This list alone is it: the embedded broker enforces it, and the access lists for mosquitto
 * and EMQX are written from it.
 *
 * `integration`: Home Assistant and its like. `local`: a program on this machine, at a broker that nobody else reaches. `anyone`: on the network, without TLS.
 */
export type Role = 'device' | 'worker' | 'operator' | 'integration' | 'local' | 'anyone';

/** Below the device's own name. Frames may go to one worker: `frame/+`. */
const DEVICE_WRITES = [
  ...['frame', 'frame/+', 'ping', 'status', 'health', 'decisions', 'result', 'update/request', 'update/status'],
];
const DEVICE_READS = ['result/#', 'ping', 'command/#', 'update/offer/+', 'update/chunk'];

/** What an integration is told: states and pictures made for it, who is there, events and alerts. Frames and results it is not. */
const INTEGRATION_READS = ['+/ha', '+/ha/picture', '+/status', 'edge/+/status', 'events', 'alerts/#'];

/** Home Assistant's discovery prefix unless both sides' settings say otherwise. */
export const DEFAULT_DISCOVERY = 'homeassistant';

/** Where a site's topics begin. */
export interface Space {
  /** First levels of the site's own topics. */
  base: string;
  /** Home Assistant's discovery prefix. */
  discovery: string;
}

/** Filters of topics; a filter grants what it matches. */
export interface Grants {
  write: readonly string[];
  read: readonly string[];
  /** Filters of topics whose messages the broker may keep. */
  retain: readonly string[];
}

/**
 * @param name a device's name, or what a broker's access list writes for it (`%u`)
 */
export function grantsOf(role: Role, { base, discovery }: Space, name: string): Grants {
  const own = `${base}/${name}`;
  switch (role) {
    case 'device':
      return {
        write: DEVICE_WRITES.map((topic) => `${own}/${topic}`),
        read: [...DEVICE_READS.map((topic) => `${own}/${topic}`), `${base}/edge/+/status`],
        retain: [`${own}/status`, `${own}/health`, `${own}/update/status`],
      };
    case 'worker': {
      const all = [`${base}/#`, `${discovery}/#`];
      return { write: all, read: all, retain: all };
    }
    case 'operator':
      return { write: [`${base}/+/command/#`, `${base}/+/update/#`], read: [`${base}/#`], retain: [] };
    case 'integration': {
      // it says when it comes and goes, and commands what its discovery messages offer
      const birth = `${discovery}/status`;
      return {
        write: [`${base}/+/command/partition`, birth],
        read: [...INTEGRATION_READS.map((topic) => `${base}/${topic}`), `${discovery}/#`],
        retain: [birth],
      };
    }
    case 'local':
    case 'anyone':
      return { write: ['#'], read: ['#'], retain: ['#'] };
  }
}

/**
 * Whether everything that `wanted` matches is matched by `granted`; `wanted` may be a plain topic. As MQTT has it, `#`
 * includes the level above it, and wildcards at the beginning leave out topics that begin with `$`.
 */
export function covers(granted: string, wanted: string): boolean {
  const [have, want] = [granted.split('/'), wanted.split('/')];
  if (want[0].startsWith('$') && have[0] !== want[0]) return false;
  for (let i = 0; i < have.length; i++) {
    if (have[i] === '#') return true;
    if (i >= want.length) return false;
    if (have[i] === '+' ? want[i] === '#' : have[i] !== want[i]) return false;
  }
  return have.length === want.length;
}

/** Grants, ready to be asked for each message. */
export class Permissions {
  readonly #grants: Grants;
  /** Answers by action and topic; few topics are asked for again and again. */
  readonly #known = new Map<string, boolean>();

  constructor(grants: Grants) {
    this.#grants = grants;
  }

  /** @param topic a topic, or for `read` also a filter */
  may(action: keyof Grants, topic: string): boolean {
    const key = `${action} ${topic}`;
    let answer = this.#known.get(key);
    if (answer === undefined) {
      answer = this.#grants[action].some((filter) => covers(filter, topic));
      if (this.#known.size < MOST_KNOWN && topic.length <= 256) this.#known.set(key, answer);
    }
    return answer;
  }
}

/** A client cannot make a broker remember more than this. */
const MOST_KNOWN = 64;
