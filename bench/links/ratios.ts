import type { Row } from './rows.js';

const OURS = 'ours';

/** One cell: a device, an edge and a link. */
type Cell = Pick<Row, 'device' | 'edge' | 'mbps' | 'delay_ms' | 'background_mbps'>;

/** Where a method was faster than ours. */
interface Lost extends Cell {
  method: string;
  within_floor: boolean;
  ours_ms: number;
  method_ms: number;
  /** Ours takes so many times as long. */
  slower: number;
}

export interface Ratios {
  /** Each method's latency over ours, in every cell. */
  cells: (Cell & { over_ours: Record<string, number> })[];
  goals: {
    /** "Fastest at every cell", against every method, and against those that keep the accuracy. */
    fastest: { cells: number; won: number; won_at_equal_accuracy: number; lost: Lost[] };
    /** "8 times faster than best-partition Offload, YOLOv3 on a Pi 4 at 2 Mbit/s": only rows of YOLOv3. */
    offload_pi4_2mbps: { wanted: 8; found: (Cell & { ratio: number })[] };
    /** "35 times at the low end": the most at the slowest link here. */
    offload_low_end: { wanted: 35; found: (Cell & { ratio: number }) | null };
  };
}

const cell = ({ device, edge, mbps, delay_ms, background_mbps }: Row): Cell => ({
  device,
  edge,
  mbps,
  delay_ms,
  background_mbps,
});

const round = (value: number) => Math.round(value * 1000) / 1000;

/** Compares ours with every method. @returns null where ours is not among the rows */
export function ratios(rows: readonly Row[]): Ratios | null {
  const groups = new Map<string, Row[]>();
  for (const row of rows) {
    const key = JSON.stringify(cell(row));
    groups.set(key, [...(groups.get(key) ?? []), row]);
  }
  const cells: Ratios['cells'] = [];
  const lost: Lost[] = [];
  let won = 0;
  let fair = 0;
  for (const group of groups.values()) {
    const ours = group.find(({ method }) => method === OURS);
    if (!ours) continue;
    const others = group.filter((row) => row !== ours);
    const over = others.map((row) => [row.method, round(row.p50_ms / ours.p50_ms)] as const);
    cells.push({ ...cell(ours), over_ours: Object.fromEntries(over) });
    const faster = others.filter((row) => row.p50_ms < ours.p50_ms);
    if (faster.length === 0) won++;
    if (!faster.some((row) => row.within_floor)) fair++;
    for (const row of faster) {
      lost.push({
        ...cell(row),
        method: row.method,
        within_floor: row.within_floor,
        ours_ms: ours.p50_ms,
        method_ms: row.p50_ms,
        slower: round(ours.p50_ms / row.p50_ms),
      });
    }
  }
  if (cells.length === 0) return null;
  const offload = cells
    .filter(({ over_ours }) => over_ours.offload !== undefined)
    .map(({ over_ours, ...where }) => ({ ...where, ratio: over_ours.offload }));
  const slowest = Math.min(...offload.map(({ mbps }) => mbps));
  const low = offload.filter(({ mbps }) => mbps === slowest);
  const pi4 = offload.filter(
    ({ device, mbps, background_mbps }) => device === 'pi-4' && mbps === 2 && !background_mbps,
  );
  return {
    cells,
    goals: {
      fastest: { cells: cells.length, won, won_at_equal_accuracy: fair, lost },
      offload_pi4_2mbps: { wanted: 8, found: rows[0].service === 'yolov3' ? pi4 : [] },
      offload_low_end: { wanted: 35, found: low.length ? low.reduce((a, b) => (b.ratio > a.ratio ? b : a)) : null },
    },
  };
}
