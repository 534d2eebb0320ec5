import { DEVICES as BOARDS } from '../../agent/partition/boards.js';
import { GPU_SPEED_UP } from '../links/rows.js';
import { LTE, phases, radio, WEAK_WIFI, WIFI } from './trace.js';
import type { Scenario, Side } from './world.js';

/** FLOP a second of a Raspberry Pi 5, of the order that is published (39 to 66e9); the others by agent/partition/boards.ts. */
const PI_5_FLOPS = 45e9;
const flopsOf = (id: string): number => {
  const ms = (of: string) => BOARDS.find((board) => board.id === of)?.yolox_nano_ms ?? Number.NaN;
  return (PI_5_FLOPS * ms('pi-5')) / ms(id);
};
export const DEVICES = { 'pi-zero-2w': flopsOf('pi-zero-2w'), 'pi-4': flopsOf('pi-4'), 'pi-5': PI_5_FLOPS } as const;
const CPU_FLOPS = 60e9;
export const EDGES = { cpu: CPU_FLOPS, gpu: CPU_FLOPS * GPU_SPEED_UP } as const;

const never = () => 1;
const none = () => 0;
const always = () => true;

const device = (name: keyof typeof DEVICES, slowdown: Side['slowdown'] = never): Side => ({
  flops: DEVICES[name],
  slowdown,
});
const edge = (name: keyof typeof EDGES, change: Partial<Scenario['edge']> = {}): Scenario['edge'] => ({
  flops: EDGES[name],
  slowdown: never,
  queue: none,
  answers: always,
  ...change,
});

/** Pictures a second in all of them. */
export const FPS = 4;

/** Links that stay as they are: every device, edge, rate and delay. */
export function steadyScenarios(seconds = 300): Scenario[] {
  const list: Scenario[] = [];
  for (const where of Object.keys(DEVICES) as (keyof typeof DEVICES)[]) {
    for (const at of Object.keys(EDGES) as (keyof typeof EDGES)[]) {
      for (const mbps of [0.1, 0.25, 1, 5, 20, 100]) {
        for (const rttMs of [2, 20, 80]) {
          list.push({
            name: `${where}, ${at} edge, ${mbps} Mbit/s, ${rttMs} ms`,
            steady: true,
            seconds,
            fps: FPS,
            seed: list.length + 1,
            link: phases([{ seconds, mbps, rttMs }]),
            device: device(where),
            edge: edge(at),
          });
        }
      }
    }
  }
  return list;
}

/**
 * What changes while an agent runs.
 * @param unseen moving links of other seeds alone, which nothing was tuned on
 */
export function changingScenarios(unseen = false): Scenario[] {
  const swing = (low: number, high: number, seconds: number, count: number) =>
    phases(
      Array.from({ length: count }, (_, i) => ({
        seconds,
        mbps: i % 2 === 0 ? high : low,
        rttMs: i % 2 === 0 ? 5 : 30,
      })),
    );
  const base = { steady: false, fps: FPS, device: device('pi-4'), edge: edge('gpu') };
  const moving = (name: string, model: typeof LTE, seed: number, seconds = 600): Scenario => ({
    ...base,
    name: `${name}, seed ${seed}`,
    seconds,
    seed,
    link: radio(model, seconds, seed),
  });
  if (unseen) {
    return [101, 102, 103, 104].flatMap((seed) => [
      moving('LTE, moving', LTE, seed),
      moving('Wi-Fi with interference', WIFI, seed + 10),
      moving('weak Wi-Fi', WEAK_WIFI, seed + 20),
    ]);
  }
  const steady = phases([{ seconds: 120, mbps: 5, rttMs: 20 }]);
  return [
    ...[11, 12, 13].map((seed) => moving('LTE, moving', LTE, seed)),
    ...[21, 22, 23].map((seed) => moving('Wi-Fi with interference', WIFI, seed)),
    ...[31, 32, 33].map((seed) => moving('weak Wi-Fi', WEAK_WIFI, seed)),
    { ...base, name: '10 and 0.3 Mbit/s in turn, 10 s each', seconds: 240, seed: 41, link: swing(0.3, 10, 10, 24) },
    { ...base, name: '20 and 0.1 Mbit/s in turn, 40 s each', seconds: 320, seed: 42, link: swing(0.1, 20, 40, 8) },
    {
      ...base,
      name: 'the device slows to a half for a minute',
      seconds: 180,
      seed: 51,
      link: steady,
      device: device('pi-4', (ms) => (ms > 60_000 && ms < 120_000 ? 2 : 1)),
    },
    {
      ...base,
      name: 'the edge is busy for a minute: frames wait 300 ms',
      seconds: 180,
      seed: 52,
      link: steady,
      edge: edge('gpu', { queue: (ms) => (ms > 60_000 && ms < 120_000 ? 300 : 0) }),
    },
    {
      ...base,
      name: 'the edge gets eight times slower for a minute',
      seconds: 180,
      seed: 53,
      link: steady,
      edge: edge('cpu', { slowdown: (ms) => (ms > 60_000 && ms < 120_000 ? 8 : 1) }),
    },
    {
      ...base,
      name: 'the edge is silent for a minute',
      seconds: 180,
      seed: 54,
      link: steady,
      edge: edge('gpu', { answers: (ms) => ms < 60_000 || ms > 120_000 }),
    },
  ];
}
