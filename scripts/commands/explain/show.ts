import type { Decision, DecisionOption, DecisionsMessage } from '../../../protocol/decision.js';

/** Whether an answer shows a change, or a new start of the agent, since an earlier one. */
export function isNews(answer: DecisionsMessage, earlier: DecisionsMessage): boolean {
  const before = earlier.decisions.at(-1);
  if (answer.session !== earlier.session || !before) return true;
  return [before, ...answer.decisions.filter(({ frame }) => frame > before.frame)].some(
    (decision) => pointOf(decision) !== pointOf(before),
  );
}

/** The decisions that chose otherwise than the one before. */
function changesOf(decisions: readonly Decision[]): Decision[] {
  return decisions.filter((decision, i) => i > 0 && pointOf(decision) !== pointOf(decisions[i - 1]));
}

/** An answer for people: the latest decision with all options, then earlier changes, the latest first. */
export function explanation({ device, decisions }: DecisionsMessage): string {
  const latest = decisions.at(-1);
  if (!latest) return `${device} has decided nothing yet`;
  const lines = [heading(device, latest), `  ${plain(latest.why)}`, `  ${circumstances(latest)}`, '', ...table(latest)];
  const changes = changesOf(decisions).reverse();
  if (changes.length > 0) lines.push('', 'changes before, the latest first:', ...changes.map(changeLine));
  return lines.join('\n');
}

function heading(device: string, decision: Decision): string {
  return `${device}, frame ${decision.frame}, ${clock(decision.at)}: ${pointOf(decision)}`;
}

function circumstances({ link, device_slowdown, edge_slowdown, edge_queue_ms }: Decision): string {
  const { base_ms, mbps, harmonic_mbps, transfers } = link;
  const harmonic = `harmonic mean of throughputs ${mbit(harmonic_mbps)}`;
  return [
    `link ${ms(base_ms)} ms + bytes / ${mbit(mbps)} Mbit/s after ${transfers} transfers (${harmonic})`,
    `device ${slowdown(device_slowdown)}`,
    `edge ${slowdown(edge_slowdown)}, ${ms(edge_queue_ms ?? 0)} ms of frames waiting there`,
  ].join('; ');
}

type Column = [name: string, cell: (option: DecisionOption) => string];

/** The cheapest first; the chosen one is marked. */
function table(decision: Decision): string[] {
  const { options } = decision;
  const columns: Column[] = [
    ['bytes', ({ bytes }) => String(Math.round(bytes))],
    ['device', ({ device_ms }) => ms(device_ms)],
    ['link', ({ link_ms }) => ms(link_ms)],
    ['edge', ({ edge_ms }) => ms(edge_ms)],
    ['total ms', ({ total_ms }) => ms(total_ms)],
  ];
  if (options.some(({ energy_mj }) => energy_mj !== undefined)) {
    columns.push(['energy mJ', ({ energy_mj }) => (energy_mj === undefined ? '-' : ms(energy_mj))]);
  }
  if (options.some(({ cost_ms, total_ms }) => Math.abs(cost_ms - total_ms) > 0.05)) {
    columns.push(['cost ms', ({ cost_ms }) => ms(cost_ms)]);
  }
  columns.push(['accuracy', ({ accuracy }) => (accuracy === undefined ? '-' : accuracy.toFixed(3))]);
  const chosen = pointOf(decision);
  const width = Math.max(12, ...options.map((option) => pointOf(option).length));
  const line = (mark: string, name: string, cells: string[]) =>
    `${mark} ${name.padEnd(width)}${cells.map((cell) => cell.padStart(10)).join('')}`;
  return [
    line(
      ' ',
      'point/rate',
      columns.map(([name]) => name),
    ),
    ...[...options]
      .sort((a, b) => a.cost_ms - b.cost_ms)
      .map((option) => {
        const name = pointOf(option);
        return line(
          name === chosen ? '>' : ' ',
          name,
          columns.map(([, cell]) => cell(option)),
        );
      }),
  ];
}

function changeLine(decision: Decision): string {
  return `  ${clock(decision.at)}  frame ${String(decision.frame).padEnd(8)} ${pointOf(decision).padEnd(12)}  ${plain(decision.why)}`;
}

function pointOf({ partition, rate }: Pick<Decision, 'partition' | 'rate'>): string {
  return partition === 'device' || partition === 'raw' ? partition : `${plain(partition)}/${rate}`;
}

function slowdown(times: number | undefined): string {
  return times === undefined ? 'as profiled' : `${times.toFixed(2)} times its profiled time`;
}

const ms = (value: number): string => value.toFixed(1);
const mbit = (value: number): string => (value < 10 ? value.toFixed(2) : value.toFixed(1));
/** Time of day here. */
const clock = (at: number): string => new Date(at).toTimeString().slice(0, 8);
/** What a device sends must not steer the terminal. */
const plain = (text: string): string => text.replaceAll(/\p{Cc}/gu, '?');
