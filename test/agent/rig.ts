import { join } from 'node:path';
import { type Agent, type AgentParts, openAgent } from '../../agent/agent.js';
import type { Camera, OpenCamera, Picture } from '../../agent/camera/camera.js';
import { type AgentConfig, loadAgentConfig } from '../../agent/config/config.js';
import type { Trip } from '../../agent/pipeline/trip.js';
import { loadEdgeConfig } from '../../edge/config.js';
import { type Edge, startEdge } from '../../edge/edge.js';
import { createLog, type LogEvent, silentLog } from '../../platform/log.js';
import { packageRoot } from '../../platform/root.js';

/** A detector of a few kilobytes: test/fixtures/make_tiny_bundle.py. */
export const tinyBundle = join(packageRoot(), 'test/fixtures/tiny-bundle');

/** An edge on the tiny bundle, with a broker of its own or at the one given. */
export function testEdge(broker: object = { host: '127.0.0.1', port: 0 }, more: object = {}): Promise<Edge> {
  const overrides = {
    bundles: [tinyBundle],
    broker,
    web: { enabled: false },
    inference: { provider: 'cpu', threads: 1 },
    // A busy machine is no reason to refuse frames here.
    queue: { max_age_ms: 120_000 },
    ...more,
  };
  return startEdge(loadEdgeConfig({ overrides }), silentLog);
}

/** Pictures of coloured noise, deterministic; as fast as they are taken, or at a pace. */
export function noiseCamera(count = Number.POSITIVE_INFINITY, paceMs = 0): OpenCamera {
  return async (_, fit): Promise<Camera> => {
    let taken = 0;
    let state = 1;
    return {
      description: 'noise',
      async next(signal) {
        if (paceMs > 0) await new Promise((resolve) => setTimeout(resolve, paceMs));
        signal.throwIfAborted();
        if (taken >= count) return null;
        taken++;
        const [sourceWidth, sourceHeight] = taken % 2 ? [64, 48] : [30, 60];
        const { width, height } = fit(sourceWidth, sourceHeight);
        const data = new Uint8Array(width * height * 3);
        for (let i = 0; i < data.length; i++) {
          state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
          data[i] = (((taken * 40 + (i % 3) * 80) % 256) + (state >>> 27)) & 255;
        }
        const picture: Picture = {
          data,
          width,
          height,
          sourceWidth,
          sourceHeight,
          capturedAt: performance.now(),
          captureMs: 0.1,
        };
        return picture;
      },
      async close() {},
    };
  };
}

/** A camera that is there and never gives a picture. @param opened gets the frame rate of each that was opened */
export const absentCamera =
  (opened: (number | undefined)[]): OpenCamera =>
  async ({ fps }): Promise<Camera> => {
    opened.push(fps);
    return {
      description: 'absent',
      next: (signal) =>
        new Promise((_, reject) => {
          signal.throwIfAborted();
          signal.addEventListener('abort', () => reject(signal.reason), { once: true });
        }),
      async close() {},
    };
  };

export interface TestAgent {
  agent: Agent;
  trips: Trip[];
  events: LogEvent[];
  /** Ends when the agent has stopped. */
  done: Promise<void>;
  stop(): Promise<void>;
}

/** What an agent on the tiny bundle is configured with. */
export function testConfig(broker: string, settings: object = {}): AgentConfig {
  return loadAgentConfig({
    overrides: {
      device: 'yard',
      bundle: tinyBundle,
      broker: { url: broker },
      camera: { fps: 0 },
      threads: 1,
      timeout_ms: 5000,
      health: { interval_s: 0.2 },
      ...settings,
    },
  });
}

/** An agent on the tiny bundle that runs already. */
export async function testAgent(
  broker: string,
  settings: object = {},
  parts: Partial<AgentParts> = {},
): Promise<TestAgent> {
  const trips: Trip[] = [];
  const events: LogEvent[] = [];
  const agent = await openAgent(testConfig(broker, settings), {
    log: createLog('agent', 'debug', { write: (_, event) => events.push(event) }),
    openCamera: noiseCamera(),
    onTrip: (trip) => trips.push(trip),
    ...parts,
  });
  const done = agent.run();
  done.catch(() => {});
  return {
    agent,
    trips,
    events,
    done,
    async stop() {
      agent.stop();
      await done;
    },
  };
}

/** Waits for something to become true, at most half a minute. */
export async function until(condition: () => boolean, what: string): Promise<void> {
  for (let i = 0; i < 1200; i++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  throw new Error(`in vain waited for: ${what}`);
}
