/**
 * The paper's baselines on the same labelled photos as bench/rate.ts, by the toolkit's `deepcod baselines`: this finds what it
 * needs. docs/results/baselines.md explains both.
 *
 * JSON: {uncompressed: {ap, ap50, kb, network_ms}, device_ms, edge_ms, rows: [{method, partition, setting, kb, ap, ap50, ap_relative,
 * device_ms, edge_ms, kb_images}], training, encoder_mflop, machine, versions, command, ...}
 */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { runMain, usageError } from '../platform/main.js';
import { flag, parseOptions, text, texts } from '../platform/options.js';
import { defaultBundle, packageRoot } from '../platform/root.js';
import { datasetName, pictures } from './rate/options.js';
import { findDescription } from './rate/service.js';
import { toolkit } from './rate/toolkit.js';

const usage = `usage: npm run bench:baselines -- [options] --json FILE

Accuracy against bytes, and times, of what the paper compares itself with: lossless and lossy offloading, interpolation, compressive
sensing, an auto-encoder, and the 8-bit service on the device. Rows of docs/results/rate-NAME.json go beside. Without
options: the service of models/onnx/worksite on the photos of ../shared/data/hardhat-clean.

  --images DIR        labelled photos to measure on; never photos that anything was trained on
  --annotations FILE  their labels, COCO JSON
  --service FILE      another ONNX detector, with a description training/services/NAME.json
  --pictures PACK     training pictures (deepcod pack), for the auto-encoder and the ranges of 8 bits; may be repeated
  --minutes N         the processor's time for each auto-encoder (default 10); what was trained before counts
  --methods LIST      only these (deepcod baselines --help names them)
  --partition ID      only this partition point; may be repeated
  --quick             8 photos, ends of the settings: a check that all works, not a measurement
  --times-only        measure the times anew, on a quiet machine; accuracy must have been measured
  --page FILE         Markdown page whose section for the JSON's name is written anew
  --json FILE         the report; the plot goes beside it
  --help              this text

What was measured and trained is kept in runs/baselines/: a run that was cut goes on where it was. Exit codes: 0 done,
2 wrong usage or input, 1 anything unexpected.`;

/** Times are one thread's, NumPy's linear algebra included. */
const ONE_THREAD = { OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' };

/** As it is typed in the repository: a report's command works elsewhere too. */
const shown = (path: string): string => relative(process.cwd(), path) || '.';

/** The report of bench/rate.ts on this service and data set, where there is one. */
async function rateReport(service: string, dataset: string): Promise<string | undefined> {
  const file = join(packageRoot(), 'docs', 'results', `rate-${service}.json`);
  if (!existsSync(file)) return undefined;
  const report = JSON.parse(await readFile(file, 'utf8')) as { dataset: string };
  return report.dataset === dataset ? file : undefined;
}

runMain(usage, async (args) => {
  const values = parseOptions(args, {
    images: text,
    annotations: text,
    service: text,
    pictures: texts,
    minutes: text,
    methods: text,
    partition: texts,
    quick: flag,
    'times-only': flag,
    page: text,
    json: text,
  });
  if (!values.json) throw usageError('--json FILE: say where to write the report');
  if (values.service && !existsSync(values.service)) throw usageError(`--service ${values.service}: no such file`);
  const { images, annotations } = pictures(values.images, values.annotations, !values.service);
  const description = await findDescription(values.service ?? `${defaultBundle()}.onnx`);
  const { name } = JSON.parse(await readFile(description, 'utf8')) as { name: string };
  const root = packageRoot();
  const rate = await rateReport(name, datasetName(annotations));

  const command = ['baselines', '--service', shown(values.service ?? defaultBundle())];
  command.push('--description', shown(description), '--images', shown(images), '--annotations', shown(annotations));
  command.push(
    '--codecs',
    shown(join(root, 'models', 'codecs', name)),
    '--work',
    shown(join(root, 'runs', 'baselines')),
  );
  if (rate) command.push('--rate-report', shown(rate));
  if (values.pictures) command.push('--pictures', ...values.pictures.map(shown));
  for (const partition of values.partition ?? []) command.push('--partition', partition);
  for (const option of ['minutes', 'methods'] as const) {
    const value = values[option];
    if (value !== undefined) command.push(`--${option}`, value);
  }
  if (values.page) command.push('--page', shown(values.page));
  command.push('--json', shown(values.json));
  for (const option of ['quick', 'times-only'] as const) if (values[option]) command.push(`--${option}`);
  Object.assign(process.env, ONE_THREAD);
  await toolkit(...command);
  return 0;
});
