import type { Row } from './rows.js';

/** Our agent as it comes, and with `pictures: true`. */
const OURS = ['ours', 'ours-pictures'] as const;

/** One cell: a device, an edge and a link. */
type Cell = Pick<Row, 'device' | 'edge' | 'mbps' | 'delay_ms' | 'background_mbps'>;

/** In how many cells no other method was faster, and none of those that keep the accuracy. */
interface Fastest {
  cells: number;
  won: number;
  won_at_equal_accuracy: number;
  /** Where another one was, at equal accuracy: ours takes at most so many times as long. */
  worst: number;
}

export interface Ratios {
  /** "Fastest at every cell". */
  fastest: Partial<Record<(typeof OURS)[number], Fastest>>;
  /** "8 times faster than best-partition Offload, YOLOv3 on a Pi 4 at 2 Mbit/s": only rows of YOLOv3. */
  offload_pi4_2mbps: { wanted: 8; found: (Cell & { ratio: number })[] };
  /** "35 times at the low end": the most at the slowest link where ours sends anything. */
  offload_low_end: { wanted: 35; found: (Cell & { ratio: number }) | null };
}

const cell = ({ device, edge, mbps, delay_ms, background_mbps }: Row): Cell => ({
  device,
  edge,
  mbps,
  delay_ms,
  background_mbps,
});

const round = (value: number) => Math.round(value * 1000) / 1000;
const isOurs = ({ method }: Row) => (OURS as readonly string[]).includes(method);

function fastest(groups: readonly Row[][], method: string): Fastest | undefined {
  const found: Fastest = { cells: 0, won: 0, won_at_equal_accuracy: 0, worst: 1 };
  for (const group of groups) {
    const ours = group.find((row) => row.method === method);
    if (!ours) continue;
    const faster = group.filter((row) => !isOurs(row) && row.p50_ms < ours.p50_ms);
    const fair = faster.filter(({ within_floor }) => within_floor);
    found.cells++;
    if (faster.length === 0) found.won++;
    if (fair.length === 0) found.won_at_equal_accuracy++;
    found.worst = Math.max(found.worst, ...fair.map(({ p50_ms }) => round(ours.p50_ms / p50_ms)));
  }
  return found.cells > 0 ? found : undefined;
}

/**
 * Compares ours with every method.
 * @param service `yolov3` is what the second goal is about
 * @returns null where ours is not among the rows
 */
export function ratios(rows: readonly Row[], service: string): Ratios | null {
  const byCell = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify(cell(row));
    byCell.set(key, [...(byCell.get(key) ?? []), row]);
  }
  const groups = [...byCell.values()];
  const won = OURS.map((method) => [method, fastest(groups, method)] as const).filter(([, found]) => found);
  if (won.length === 0) return null;
  const offload = groups.flatMap((group) => {
    const [ours, offload] = ['ours', 'offload'].map((name) => group.find(({ method }) => method === name));
    // What was not sent is not offloaded faster.
    if (!ours || !offload || ours.partition === 'device') return [];
    return [{ ...cell(ours), ratio: round(offload.p50_ms / ours.p50_ms) }];
  });
  const slowest = Math.min(...offload.map(({ mbps }) => mbps));
  const low = offload.filter(({ mbps }) => mbps === slowest);
  const pi4 = offload.filter(
    ({ device, mbps, background_mbps }) => device === 'pi-4' && mbps === 2 && !background_mbps,
  );
  return {
    fastest: Object.fromEntries(won),
    offload_pi4_2mbps: { wanted: 8, found: service === 'yolov3' ? pi4 : [] },
    offload_low_end: { wanted: 35, found: low.length ? low.reduce((a, b) => (b.ratio > a.ratio ? b : a)) : null },
  };
}
