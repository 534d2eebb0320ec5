import { existsSync } from 'node:fs';
import { basename, dirname, extname, join, resolve } from 'node:path';
import { usageError } from '../../platform/main.js';
import { flag, parseOptions, text, texts } from '../../platform/options.js';
import { packageRoot } from '../../platform/root.js';
import { didYouMean } from '../../platform/suggest.js';
import { IMAGE_CODECS } from './images.js';

/** What can be measured, in the order of the report. `paper` is measured where there is such a codec. */
export const METHODS = [...Object.keys(IMAGE_CODECS), 'ours', 'paper'] as const;

export const usage = `usage: npm run bench:rate -- [options] --json FILE

Detection accuracy against bytes, through the runtime's own encoder and decoder, beside JPEG, WebP and AVIF.
Writes FILE, and beside it the plot (.svg, .png). Without options: the bundle models/onnx/worksite on the photos of
../shared/data/hardhat-clean ($DEEPCOD_DATA names another folder than ../shared/data).

  --images DIR        labelled photos to measure on; never photos that anything was trained on
  --annotations FILE  their labels, COCO JSON
  --bundle DIR        another bundle
  --service FILE      a third party's ONNX detector with a description training/services/NAME.json: its bundle is made
                      first, from the trained codecs in models/codecs/NAME/
  --codecs DIR        with --service: another folder of codecs; *-paper.pt are of the paper's form
  --pictures PATH     with --service: folder of photos, or pack (.npz), that the entropy tables are trained on; may be
                      repeated (default: photos and coco-train of ../shared/data)
  --partition ID      only this partition point; may be repeated
  --methods LIST      some of ${METHODS.join(',')} (default: all)
  --quick             8 photos, a few qualities and rates: a check that all works, not a measurement
  --page FILE         Markdown page whose section for the JSON's name is written anew
  --json FILE         the report
  --help              this text

What was measured is kept in runs/rate/: a run that was cut goes on where it was, and only what changed is measured
again. Exit codes: 0 done, 2 wrong usage or input, 3 bundle, 1 anything unexpected.`;

export interface RateOptions {
  images: string;
  annotations: string;
  bundle?: string;
  service?: string;
  codecs?: string;
  pictures: string[];
  partitions?: string[];
  methods: string[];
  quick: boolean;
  page?: string;
  json: string;
  /** What was typed, for the report. */
  command: string;
}

/** Folder of the data that comes with the project's workplace, not with the repository. */
export const dataFolder = (): string => process.env.DEEPCOD_DATA ?? join(packageRoot(), '..', 'shared', 'data');

/** @throws usageError for whatever makes no sense */
export function rateOptions(args: string[]): RateOptions {
  const values = parseOptions(args, {
    images: text,
    annotations: text,
    bundle: text,
    service: text,
    codecs: text,
    pictures: texts,
    partition: texts,
    methods: text,
    quick: flag,
    page: text,
    json: text,
  });
  if (!values.json) throw usageError('--json FILE: say where to write the report');
  if (extname(values.json) !== '.json') throw usageError(`--json ${values.json}: a name that ends in .json`);
  if (values.bundle && values.service) throw usageError('--bundle and --service: give one of the two');
  if (!values.service && (values.codecs || values.pictures)) {
    throw usageError('--codecs and --pictures are for --service: a bundle has its codecs and tables already');
  }
  const methods = values.methods?.split(',') ?? [...METHODS];
  for (const method of methods) {
    if (!(METHODS as readonly string[]).includes(method)) {
      throw usageError(`--methods ${method}: ${didYouMean(method, METHODS)}`);
    }
  }
  const path = (name: 'page' | 'bundle' | 'service' | 'codecs'): string | undefined => {
    const given = values[name];
    if (given !== undefined && !existsSync(given)) throw usageError(`--${name} ${given}: no such file or folder`);
    return given && resolve(given);
  };
  return {
    ...pictures(values.images, values.annotations, !values.service && !values.bundle),
    bundle: path('bundle'),
    service: path('service'),
    codecs: path('codecs'),
    pictures: (values.pictures ?? []).map((p) => {
      if (!existsSync(p)) throw usageError(`--pictures ${p}: no such file or folder`);
      return resolve(p);
    }),
    partitions: values.partition,
    methods,
    quick: values.quick ?? false,
    page: path('page'),
    json: resolve(values.json),
    command: ['npm run bench:rate --', ...args].join(' '),
  };
}

/**
 * The photos given, or those that the default bundle was always measured on.
 * @param standard whether it is the default bundle that is measured
 * @throws usageError for photos that are missing or only half named
 */
export function pictures(images: string | undefined, annotations: string | undefined, standard: boolean) {
  if ((images === undefined) !== (annotations === undefined)) {
    throw usageError('--images and --annotations: give both, or neither');
  }
  if (images === undefined || annotations === undefined) {
    const folder = join(dataFolder(), 'hardhat-clean');
    if (!standard) throw usageError('--images DIR and --annotations FILE: say what to measure on');
    if (!existsSync(join(folder, 'instances.json'))) {
      throw usageError(
        `${folder} is not here: give labelled photos with --images DIR and --annotations FILE (COCO JSON)`,
      );
    }
    return { images: join(folder, 'images'), annotations: join(folder, 'instances.json') };
  }
  for (const [name, given] of [
    ['images', images],
    ['annotations', annotations],
  ] as const) {
    if (!existsSync(given)) throw usageError(`--${name} ${given}: no such file or folder`);
  }
  return { images: resolve(images), annotations: resolve(annotations) };
}

/** Name of a data set: the folder of its annotations, as `deepcod evaluate` names it. */
export const datasetName = (annotations: string): string => basename(dirname(annotations));
