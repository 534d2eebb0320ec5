/**
 * Detection accuracy against bytes: this project's codecs through the runtime's own modules, beside JPEG, WebP and AVIF
 * before the uncompressed service, on the same letterboxed pictures. What is measured goes to the toolkit, which scores it (pycocotools,
 * bootstrap, BD-rate), writes the report and draws the plot. docs/results/rate.md explains both.
 *
 * JSON: {uncompressed: {ap, ap50, ...}, rows: [{method, partition, rate, kb, ap, ap50, ap_relative, encode_ms, decode_ms,
 * ...}], bd_rate, kb_needed, machine, versions, command, dataset, seed, ...}
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import { type EdgeBundle, openEdgeBundle } from '../edge/worker/bundles.js';
import { runMain, usageError } from '../platform/main.js';
import { defaultBundle } from '../platform/root.js';
import { machine, versions } from '../platform/versions.js';
import type { Partition } from '../protocol/manifest.js';
import { cacheFolder, writeAtomically } from './rate/cache.js';
import { openDataset, sha256 } from './rate/dataset.js';
import { IMAGE_CODECS, oneThread } from './rate/images.js';
import { Meter } from './rate/measure.js';
import { type RateOptions, rateOptions, usage } from './rate/options.js';
import { Progress } from './rate/progress.js';
import { serviceBundles } from './rate/service.js';
import { toolkit } from './rate/toolkit.js';

const QUICK_PICTURES = 8;
const RESAMPLES = { full: 300, quick: 20 };
const SEED = 0;

/** One row to measure; `partition` is null for image codecs, whose `rate` is the quality. */
interface Plan {
  method: string;
  bundle: EdgeBundle;
  partition: string | null;
  rate: number;
}

/** Where `--quick` looks: at both ends. */
const ends = <T>(values: readonly T[], quick: boolean): readonly T[] =>
  quick && values.length > 2 ? [values[0], values[values.length - 1]] : values;

/** The paper's form has plain tables, one for each channel; the others' depend on what was coded before. */
async function formOf(bundle: EdgeBundle, partition: Partition): Promise<'ours' | 'paper'> {
  const tables = JSON.parse(await readFile(bundle.bundle.file(partition.entropy), 'utf8')) as { form: string };
  return tables.form === 'plain' ? 'paper' : 'ours';
}

async function plan(bundles: readonly EdgeBundle[], options: RateOptions): Promise<Plan[]> {
  const { methods, partitions, quick } = options;
  const plans: Plan[] = [];
  for (const [method, codec] of Object.entries(IMAGE_CODECS)) {
    if (!methods.includes(method)) continue;
    for (const rate of ends(codec.qualities, quick)) plans.push({ method, bundle: bundles[0], partition: null, rate });
  }
  const known = [...new Set(bundles.flatMap(({ bundle }) => bundle.manifest.partitions.map(({ id }) => id)))];
  for (const id of partitions ?? []) {
    if (!known.includes(id)) throw usageError(`--partition ${id}: the bundle has ${known.join(', ') || 'none'}`);
  }
  for (const bundle of bundles) {
    for (const partition of bundle.bundle.manifest.partitions) {
      const method = await formOf(bundle, partition);
      if (!methods.includes(method) || (partitions && !partitions.includes(partition.id))) continue;
      for (const rate of ends([...partition.rates.keys()], quick)) {
        plans.push({ method, bundle, partition: partition.id, rate });
      }
    }
  }
  if (plans.length === 0) throw usageError(`--methods ${methods.join(',')}: the bundle has no codec of this form`);
  return plans;
}

runMain(usage, async (args) => {
  const options = rateOptions(args);
  const { service, quick } = options;
  oneThread();
  const dataset = await openDataset(options.images, options.annotations, quick ? QUICK_PICTURES : undefined);
  const folders = service
    ? await serviceBundles({ ...options, service }, dataset)
    : [options.bundle ?? defaultBundle()];
  const bundles = await Promise.all(folders.map(openEdgeBundle));
  const plans = await plan(bundles, options);
  const meter = new Meter(dataset, new Progress((plans.length + 1) * dataset.names.length));

  const raw = await meter.coded(bundles[0], 'raw', 0, 'uncompressed');
  const rows: object[] = [];
  for (const { method, bundle, partition, rate } of plans) {
    const label = partition === null ? `${method} ${rate}` : `${method} ${partition} ${rate}`;
    const { file } =
      partition === null
        ? await meter.image(bundle, raw.measured, method, rate, label)
        : await meter.coded(bundle, partition, rate, label);
    rows.push({ method, partition, rate, file });
  }

  const measured = {
    service: bundles[0].name,
    classes: bundles[0].bundle.manifest.service.classes,
    bundles: bundles.map(({ id }) => id),
    pictures: dataset.names,
    uncompressed: raw.file,
    rows,
    facts: {
      quick,
      command: options.command,
      machine: machine(),
      versions: { ...versions(), ...sharp.versions },
      image_codecs: Object.fromEntries(Object.entries(IMAGE_CODECS).map(([name, { settings }]) => [name, settings])),
    },
  };
  const list = join(cacheFolder(), 'reports', `${sha256(JSON.stringify(measured)).slice(0, 24)}.json`);
  await writeAtomically(list, JSON.stringify(measured));
  const scoring = [
    'rate',
    list,
    '--images',
    dataset.folder,
    '--annotations',
    dataset.annotations,
    '--json',
    options.json,
  ];
  scoring.push('--resamples', String(quick ? RESAMPLES.quick : RESAMPLES.full), '--seed', String(SEED));
  if (options.page) scoring.push('--page', options.page);
  await toolkit(...scoring);
  return 0;
});
