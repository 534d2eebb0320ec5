import type { HealthMessage } from '../../../protocol/health.js';
import { isFailure, type ResultMessage } from '../../../protocol/result.js';
import type { StatusMessage } from '../../../protocol/status.js';
import { plain } from '../doctor/drops.js';

/** The heading comes again after so many lines. */
const PAGE = 20;
/** Widths of columns. */
const DEVICE = 12;
const FRAME = 7;
const POINT = 10;
const CELL = 6;

/** What is known of one device. */
interface Seen {
  health?: HealthMessage;
  online?: boolean;
}

/** Lines of the live table: results, and news of drops and devices that come and go. */
export class LiveTable {
  readonly #devices = new Map<string, Seen>();
  #lines = 0;

  /** @param several with a column for the device @param columns of the terminal, as it is now @param now ms since 1970 */
  constructor(
    readonly several: boolean,
    readonly columns: () => number,
    readonly now: () => number,
  ) {}

  /** @returns lines to print, none longer than the terminal is wide */
  take(
    device: string,
    kind: 'result' | 'health' | 'status',
    message: ResultMessage | HealthMessage | StatusMessage,
  ): string[] {
    const seen = this.#devices.get(device) ?? {};
    this.#devices.set(device, seen);
    if (kind === 'result') return this.#page(this.#row(device, seen, message as ResultMessage));
    if (kind === 'health') {
      const news = newDrops(seen.health?.drops, (message as HealthMessage).drops);
      const isFirst = seen.health === undefined;
      seen.health = message as HealthMessage;
      return news && !isFirst ? [this.#cut(`${this.#start(device)}lost: ${news}`)] : [];
    }
    const { online } = message as StatusMessage;
    const changed = seen.online !== online;
    seen.online = online;
    return changed ? [this.#cut(`${this.#start(device)}${online ? 'online' : 'OFFLINE'}`)] : [];
  }

  #row(device: string, { health }: Seen, message: ResultMessage): string {
    const start = `${this.#start(device)}${String(message.frame).padStart(FRAME)}`;
    if (isFailure(message)) return `${start} refused: ${plain(message.error.code)} ${plain(message.error.message)}`;
    const { partition, rate, edge_ms: edge, detections, local, late } = message;
    const point = partition === 'device' || partition === 'raw' ? partition : `${plain(partition)}/${rate}`;
    const kb = health?.bytes_mean === undefined || local ? '-' : (health.bytes_mean / 1000).toFixed(1);
    const ms = health?.steps_ms?.total === undefined ? '-' : health.steps_ms.total.toFixed(0);
    const drops = Object.values(health?.drops ?? {}).reduce((sum, count) => sum + count, 0);
    const cells = [kb, ms, edge.total.toFixed(0), String(drops)].map((cell) => cell.padStart(CELL));
    const marks = `${local ? ' (here)' : ''}${late ? ' (late)' : ''}`;
    return `${start} ${point.padEnd(POINT)}${cells.join('')}  ${found(detections)}${marks}`;
  }

  #start(device: string): string {
    const clock = new Date(this.now()).toTimeString().slice(0, 8);
    return `${clock} ${this.several ? `${device.slice(0, DEVICE).padEnd(DEVICE)} ` : ''}`;
  }

  #page(row: string): string[] {
    const columns = ['KB', 'ms', 'edge', 'drops'].map((name) => name.padStart(CELL)).join('');
    const device = this.several ? 'device'.padEnd(DEVICE + 1) : '';
    const heading = `time     ${device}${'frame'.padStart(FRAME)} ${'point'.padEnd(POINT)}${columns}  found`;
    const lines = this.#lines++ % PAGE === 0 ? [heading, row] : [row];
    return lines.map((line) => this.#cut(line));
  }

  #cut(line: string): string {
    const columns = Math.max(40, this.columns());
    return line.length > columns ? `${line.slice(0, columns - 1)}…` : line;
  }
}

/** "3 helmet 0.92, 1 head 0.71": how many of each class, and the surest one's score. */
function found(detections: readonly { label: string; score: number }[]): string {
  const classes = new Map<string, { count: number; score: number }>();
  for (const { label, score } of detections) {
    const { count = 0, score: best = 0 } = classes.get(label) ?? {};
    classes.set(label, { count: count + 1, score: Math.max(best, score) });
  }
  const parts = [...classes].map(([label, { count, score }]) => `${count} ${plain(label)} ${score.toFixed(2)}`);
  return parts.join(', ') || '-';
}

/** "+3 superseded, +1 timeout", or nothing. */
function newDrops(before: Record<string, number> = {}, after: Record<string, number> = {}): string {
  return Object.entries(after)
    .map(([cause, count]) => [plain(cause), count - (before[cause] ?? 0)] as const)
    .filter(([, more]) => more > 0)
    .map(([cause, more]) => `+${more} ${cause}`)
    .join(', ');
}
