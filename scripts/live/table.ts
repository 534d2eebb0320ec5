import type { Trip } from '../../agent/pipeline/trip.js';
import type { Step } from '../../protocol/health.js';

/** Columns of steps, with short heads. */
const columns: [Step, string][] = [
  ['capture', 'capt'],
  ['preprocess', 'prep'],
  ['head', 'head'],
  ['encode', 'enc'],
  ['up', 'up'],
  ['queue', 'queue'],
  ['decode', 'dec'],
  ['tail', 'tail'],
  ['post', 'post'],
  ['down', 'down'],
  ['total', 'total'],
];

const WIDTH = 6;

/** `   frame  partition   bytes  coding  capt  prep ...  detections` */
export function headLine(): string {
  const steps = columns.map(([, short]) => short.padStart(WIDTH)).join('');
  return `${'frame'.padStart(7)}  ${'partition'.padEnd(11)}${'bytes'.padStart(8)}  coding${steps}  detections`;
}

/** One trip as a line of the table; times in ms. */
export function tripLine(trip: Trip): string {
  const steps = columns.map(([step]) => milliseconds(trip.steps[step]).padStart(WIDTH)).join('');
  const point = trip.partition + (trip.rate > 0 ? `/${trip.rate}` : '');
  const bytes = trip.bytes > 0 ? String(trip.bytes) : '-';
  const coding = (trip.coding ?? '-').padEnd(6);
  return `${String(trip.frame).padStart(7)}  ${point.padEnd(11)}${bytes.padStart(8)}  ${coding}${steps}  ${found(trip)}`;
}

function milliseconds(ms: number | undefined): string {
  if (ms === undefined) return '-';
  return ms < 100 ? ms.toFixed(1) : ms.toFixed(0);
}

/** `2 head, 1 helmet` */
function found(trip: Trip): string {
  if (trip.outcome !== 'result' && trip.outcome !== 'local') return `lost: ${trip.refusal ?? trip.outcome}`;
  const counts = new Map<string, number>();
  for (const { label } of trip.detections) counts.set(label, (counts.get(label) ?? 0) + 1);
  return [...counts].map(([label, count]) => `${count} ${label}`).join(', ') || '-';
}

/** Where the table goes. */
export interface Screen {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** Columns of a device's name. */
const NAME = 10;
/** Least time between two redraws, ms. */
const REDRAW_MS = 100;

/** The live table: redrawn in place on a terminal, one line per frame elsewhere. */
export class Table {
  readonly #screen: Screen;
  readonly #lines: string[] = [];
  #drawn = 0;
  #drawnAt = Number.NEGATIVE_INFINITY;
  #summary = '';
  #headed = false;

  /** @param several whether lines begin with the name of a device */
  constructor(
    screen: Screen,
    readonly several = false,
  ) {
    this.#screen = screen;
  }

  /** A finished trip. @param summary shown below the table on a terminal @param device whose, where there are several */
  add(trip: Trip, summary: string, device?: string): void {
    const line = (device === undefined ? '' : `${device.padEnd(NAME)}`) + tripLine(trip);
    this.#summary = summary;
    if (!this.#screen.isTTY) {
      if (!this.#headed) this.#screen.write(`${this.#head()}\n`);
      this.#headed = true;
      this.#screen.write(`${line}\n`);
      return;
    }
    this.#lines.push(line);
    while (this.#lines.length > this.#room()) this.#lines.shift();
    if (performance.now() - this.#drawnAt >= REDRAW_MS) this.#draw();
  }

  /** A line that stays, above the table. */
  note(text: string): void {
    this.#erase();
    this.#screen.write(`${text}\n`);
    if (this.#screen.isTTY && this.#lines.length > 0) this.#draw();
  }

  /** Leaves the last state on the screen. */
  end(): void {
    if (this.#screen.isTTY && this.#lines.length > 0) this.#draw();
    this.#drawn = 0;
  }

  #head(): string {
    return (this.several ? 'camera'.padEnd(NAME) : '') + headLine();
  }

  #room(): number {
    return Math.max(3, Math.min(15, (this.#screen.rows ?? 24) - 6));
  }

  #erase(): void {
    if (this.#drawn > 0) this.#screen.write(`\x1b[${this.#drawn}A\r\x1b[J`);
    this.#drawn = 0;
  }

  #draw(): void {
    this.#erase();
    const width = Math.max(20, (this.#screen.columns ?? 120) - 1);
    const lines = [this.#head(), ...this.#lines, '', this.#summary].map((line) => line.slice(0, width));
    this.#screen.write(`${lines.join('\n')}\n`);
    this.#drawn = lines.length;
    this.#drawnAt = performance.now();
  }
}
