/**
 * The two estimates of the link beside each other on real ones: TCP between network namespaces, shaped, with a delay, MQTT
 * as the product runs. An agent's messages cross each link, frames that stand alone among many predicted ones; before
 * each, both say how long it will take. Then the link is another one, and again.
 *
 * JSON: {rows: [{mbps, delay_ms, before: {mbps, delay_ms}, p50_ms, model: {small, large, first}, harmonic: {...}}], ...}: median
 * errors as shares of what was measured; the first row's link is the one that both assume
 */
import { writeFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { HarmonicBandwidth } from '../agent/bandwidth/harmonic.js';
import { LinkModel } from '../agent/bandwidth/link-model.js';
import { Random } from '../agent/camera/simulated/random.js';
import { DeepcodError, ExitCode } from '../platform/errors.js';
import { runMain, untilStopped, usageError } from '../platform/main.js';
import { flag, parseOptions, text } from '../platform/options.js';
import { machine, versions } from '../platform/versions.js';
import { ANSWER_BYTES } from './link/answer.js';
import type { Link } from './links/decide.js';
import { openNet } from './links/open-net.js';
import { openPlace, type Place } from './links/place.js';
import { median } from './rate/measure.js';

const usage = `usage: npm run bench:estimators -- [options] --json FILE

How well the agent foresees what a transfer takes: its latency model and the paper's harmonic mean, on real links (network
namespaces, as root on Linux; elsewhere a relay on loopback, and the report says so).

  --quick      two links, few messages: a check that all works
  --loopback   the relay on loopback, even where namespaces are allowed
  --page FILE  Markdown page to write
  --json FILE  the report
  --help       this text

Exit codes: 0 done, 2 wrong usage, 130 interrupted, 1 anything unexpected.`;

/** Predicted frames between two that stand alone, and how many of both are sent on each link. */
const PERIOD = 12;
const MESSAGES = 60;
/** The first of them after a change of the link: within these it should be known. */
const SETTLING = 10;

/** Sizes of an agent's messages: the default bundle's `input` at rate 3, predicted ones a quarter; bytes. */
function sizes(count: number): number[] {
  const random = new Random(7);
  return Array.from({ length: count }, (_, i) => {
    const mean = i % PERIOD === 0 ? 5600 : 1400;
    return Math.round(mean * random.range(0.7, 1.3));
  });
}

/** One estimate of the link, asked before each transfer. */
interface Estimate {
  foresee(bytes: number): number;
  learn(bytes: number, ms: number): void;
}

function estimates(): Record<'model' | 'harmonic', Estimate> {
  let now = 0;
  const model = new LinkModel(10e6, 10, () => now);
  const harmonic = new HarmonicBandwidth(10e6);
  return {
    model: {
      foresee: (bytes) => model.estimate(bytes + ANSWER_BYTES),
      learn(bytes, ms) {
        now += Math.max(200, ms);
        model.add(bytes + ANSWER_BYTES, ms);
      },
    },
    harmonic: {
      foresee: (bytes) => harmonic.estimate(bytes + ANSWER_BYTES),
      learn: (bytes, ms) => harmonic.add(bytes + ANSWER_BYTES, ms),
    },
  };
}

const LINKS: Pick<Link, 'mbps' | 'delay_ms'>[] = [
  { mbps: 10, delay_ms: 2 },
  { mbps: 0.25, delay_ms: 20 },
  { mbps: 54, delay_ms: 80 },
  { mbps: 1, delay_ms: 2 },
  { mbps: 150, delay_ms: 2 },
  { mbps: 0.5, delay_ms: 80 },
  { mbps: 5, delay_ms: 20 },
  { mbps: 2, delay_ms: 80 },
];

async function measure(place: Place, quick: boolean) {
  const both = estimates();
  const wanted = sizes(quick ? 2 * PERIOD : MESSAGES);
  const rows = [];
  let before: (typeof LINKS)[number] | undefined;
  for (const link of LINKS.slice(0, quick ? 2 : undefined)) {
    await place.setLink({ ...link, background_mbps: 0 });
    const count = wanted.length;
    const times = await place.measure({
      sizes: wanted,
      warmUp: 2,
      atLeast: count,
      atMost: count,
      forMs: 0,
      timeoutMs: 60_000,
    });
    const errors = (estimate: Estimate) => {
      const all = times.map((ms, i) => {
        const error = Math.abs(estimate.foresee(wanted[i]) / ms - 1);
        estimate.learn(wanted[i], ms);
        return { error, large: i % PERIOD === 0, settled: i >= SETTLING };
      });
      const of = (keep: (one: (typeof all)[number]) => boolean) => median(all.filter(keep).map(({ error }) => error));
      return {
        small: of(({ large, settled }) => settled && !large),
        large: of(({ large, settled }) => settled && large),
        first: of(({ settled }) => !settled),
      };
    };
    const row = { ...link, before, p50_ms: median(times), model: errors(both.model), harmonic: errors(both.harmonic) };
    rows.push(row);
    process.stderr.write(
      `${link.mbps} Mbit/s, ${link.delay_ms} ms: model ${row.model.small}, harmonic ${row.harmonic.small}\n`,
    );
    before = link;
  }
  return rows;
}

type Report = Awaited<ReturnType<typeof measure>>;

function page(rows: Report, facts: { command: string; link: string; broker: string }, json: string): string {
  const percent = (share: number) => `${Math.round(100 * share)}%`;
  const cells = (of: Report[number]['model']) => [of.small, of.large, of.first].map(percent).join(' | ');
  return [
    '# How well the link is foreseen',
    '',
    `Before each transfer two estimates say how long it will take: the agent's model (latency = base + bytes / rate, docs/architecture.md) and`,
    `the paper's harmonic mean of the last ten throughputs. ${facts.link === 'namespaces' ? 'Real TCP between network namespaces' : 'A relay on loopback (simulated links)'}, MQTT over ${facts.broker};`,
    `messages of an agent's sizes, ${PERIOD - 1} predicted ones (about 1.4 KB) for each that stands alone (about 5.6 KB). Figures are median errors as shares of what`,
    `was measured: of predicted frames, of those that stand alone, and of the first ${SETTLING} messages after the link became this one from the one above.`,
    '',
    `\`${facts.command}\`; [${json}](${json}).`,
    '',
    '| link | p50, ms | model: small | large | first ten | harmonic mean: small | large | first ten |',
    '|---|---:|---:|---:|---:|---:|---:|---:|',
    ...rows.map(
      ({ mbps, delay_ms, p50_ms, model, harmonic }) =>
        `| ${mbps} Mbit/s, ${delay_ms} ms | ${p50_ms.toFixed(1)} | ${cells(model)} | ${cells(harmonic)} |`,
    ),
    '',
  ].join('\n');
}

runMain(usage, async (args) => {
  const {
    json,
    page: to,
    quick,
    loopback,
  } = parseOptions(args, { json: text, page: text, quick: flag, loopback: flag });
  if (json === undefined) throw usageError('--json FILE: say where the report goes');
  const stopped = untilStopped().then((signal): never => {
    throw new DeepcodError('stopped', `stopped by ${signal}`, undefined, 130);
  });
  stopped.catch(() => {});
  const place = await openPlace(await openNet(loopback ?? false));
  const rows = await Promise.race([measure(place, quick ?? false), stopped]).finally(place.close);
  const facts = { command: `npm run bench:estimators -- ${args.join(' ')}`, link: place.kind, broker: place.broker };
  await writeFile(json, `${JSON.stringify({ ...facts, machine: machine(), versions: versions(), rows }, null, 1)}\n`);
  if (to !== undefined) await writeFile(to, page(rows, facts, basename(json)));
  return ExitCode.ok;
});
