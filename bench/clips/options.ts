import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { usageError } from '../../platform/main.js';
import { flag, parseOptions, text, texts } from '../../platform/options.js';
import { defaultBundle } from '../../platform/root.js';
import { dataFolder } from '../rate/options.js';

export const usage = `usage: npm run bench:clips -- [options] --json FILE

Bytes per frame and agreement with the uncompressed service on video: this project's frames, each alone and predicted from
earlier ones, beside motion JPEG and H.264.

  --clips DIR     videos (default: video of ../shared/data; $DEEPCOD_DATA names another folder than ../shared/data)
  --bundle DIR    another bundle than models/onnx/worksite
  --partition ID  another partition point than the bundle's first
  --rate N        only this rate; may be repeated (default: all)
  --quick         few frames and qualities: a check that all works, not a measurement
  --page FILE     Markdown page to write
  --json FILE     the report
  --help          this text

Exit codes: 0 done, 2 wrong usage or input, 3 bundle, 1 anything unexpected.`;

export interface ClipsOptions {
  clips: string;
  bundle: string;
  partition?: string;
  rates?: number[];
  quick: boolean;
  page?: string;
  json: string;
  /** What was typed, for the report. */
  command: string;
}

/** @throws usageError for whatever makes no sense */
export function clipsOptions(args: string[]): ClipsOptions {
  const options = { clips: text, bundle: text, partition: text, rate: texts, quick: flag, page: text, json: text };
  const values = parseOptions(args, options);
  if (!values.json) throw usageError('--json FILE: say where to write the report');
  const clips = values.clips ?? join(dataFolder(), 'video');
  if (!existsSync(clips)) throw usageError(`--clips ${clips}: no such folder; name one that holds videos`);
  const rates = values.rate?.map((rate) => {
    if (!/^\d{1,3}$/.test(rate)) throw usageError(`--rate ${rate}: a whole number from 0`);
    return Number(rate);
  });
  return {
    clips: resolve(clips),
    bundle: resolve(values.bundle ?? defaultBundle()),
    partition: values.partition,
    rates,
    quick: values.quick ?? false,
    page: values.page && resolve(values.page),
    json: resolve(values.json),
    command: ['npm run bench:clips --', ...args].join(' '),
  };
}
