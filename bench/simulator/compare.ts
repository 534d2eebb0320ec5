import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../agent/camera/simulated/random.js';
import { Planner, type PlannerSettings } from '../../agent/partition/planner.js';
import { defaultBundle } from '../../platform/root.js';
import type { Manifest } from '../../protocol/manifest.js';
import { meanWait, type RunResult, runFixed, runOracle, runPlanner } from './run.js';
import { FPS } from './scenarios.js';
import { KEY_INTERVAL_MS, type Scenario, World } from './world.js';

/** How an agent did in one scenario. Means of `meanWait` in ms. */
export interface Comparison {
  scenario: string;
  steady: boolean;
  agent_ms: number;
  oracle_ms: number;
  best_fixed_ms: number;
  best_fixed: string;
  /** agent / oracle, agent / best fixed */
  over_oracle: number;
  over_fixed: number;
  changes: number;
  probes: number;
  lost: number;
  frames: number;
}

/** The default bundle's manifest: its points and rates are what is chosen from. */
export const defaultManifest = (): Manifest =>
  JSON.parse(readFileSync(join(defaultBundle(), 'manifest.json'), 'utf8')) as Manifest;

export const SETTINGS: PlannerSettings = {
  partition: 'auto',
  rate: 'auto',
  pictures: false,
  accuracy_floor: 0.97,
  privacy: {},
  fallback: true,
  key_interval_s: KEY_INTERVAL_MS / 1000,
  profile: { bandwidth_mbps: 10, device_scale: 1 },
  prices: { ms_per_mj: 0, ms_per_kb: 0 },
  camera: { fps: FPS },
};

/** An agent that has profiled its device and heard the edge's times, in a world. */
export function runAgent(
  world: World,
  manifest: Manifest,
  settings = SETTINGS,
): { planner: Planner; result: RunResult } {
  const clock = { ms: 0 };
  const planner = new Planner(
    manifest,
    settings,
    () => true,
    () => clock.ms,
    () => clock.ms,
  );
  const times = (of: (choice: Planner['choices'][number]) => number) =>
    Object.fromEntries(planner.choices.map((choice) => [choice.id, of(choice)]));
  // Profiles are of another day: each figure is off by up to a third.
  const random = new Random(world.scenario.seed, 99);
  const wrong = () => 1.33 ** random.range(-1, 1);
  planner.useProfile({
    fingerprint: 'simulated',
    device_ms: times((choice) => world.profiledDeviceMs(choice) * wrong()),
    edge_ms: times((choice) => world.profiledEdgeMs(choice) * wrong()),
  });
  return { planner, result: runPlanner(world, planner, clock) };
}

const nameOf = ({ id, rate }: { id: string; rate: number }) => (id === 'device' ? id : `${id}/${rate}`);

/** The agent against the best choice of each frame and the best single choice, both known only in hindsight. */
export function compare(
  scenario: Scenario,
  manifest: Manifest,
  settings = SETTINGS,
): Comparison & { result: RunResult } {
  const world = new World(scenario);
  const { planner, result } = runAgent(world, manifest, settings);
  const agent = meanWait(world, result);
  const fixed = planner.choices
    .map((choice) => ({ name: nameOf(choice), ms: meanWait(world, runFixed(world, choice)) }))
    .reduce((a, b) => (b.ms < a.ms ? b : a));
  const oracle = Math.min(fixed.ms, meanWait(world, runOracle(world, planner.choices)));
  const { flights } = result;
  const kept = flights.filter(({ reason }) => reason !== 'probe' && reason !== 'try_edge');
  return {
    scenario: scenario.name,
    steady: scenario.steady,
    agent_ms: agent,
    oracle_ms: oracle,
    best_fixed_ms: fixed.ms,
    best_fixed: fixed.name,
    over_oracle: agent / oracle,
    over_fixed: agent / fixed.ms,
    changes: kept.filter(({ choice }, i) => i > 0 && choice !== kept[i - 1].choice).length,
    probes: flights.filter(({ reason }) => reason === 'probe').length,
    lost: flights.filter(({ outcome }) => outcome === 'timeout' || outcome === 'broker_lost').length,
    frames: flights.length,
    result,
  };
}
