import { existsSync } from 'node:fs';
import { extname, join, resolve } from 'node:path';
import { usageError } from '../../platform/main.js';
import { flag, parseOptions, text } from '../../platform/options.js';
import { packageRoot } from '../../platform/root.js';
import { didYouMean } from '../../platform/suggest.js';

export const SERVICES = ['yolox-nano', 'worksite', 'yolov3'] as const;

export const usage = `usage: npm run bench:links -- [options] --json FILE

How long a frame takes from a Raspberry Pi to an edge and back over ten bandwidths, three delays and other traffic, for
this project and for other ways to offload, each with its own best partition point; and the energy it takes. As root on
Linux the links are real TCP between two network namespaces; elsewhere a relay on loopback stands for them, and every row
says so. Devices are always simulated: this machine's times, multiplied.

  --service NAME    ${SERVICES.join(', ')} (default: yolox-nano)
  --baselines FILE  what was measured of the methods (default: docs/results/baselines-NAME.json; yolov3 is derived from
                    yolox-nano's)
  --loopback        the relay on loopback, even where namespaces are allowed
  --quick           three bandwidths, one delay, few messages, no plots: a check that all works, not a measurement
  --page FILE       Markdown page whose section for the JSON's name is written anew
  --json FILE       the report; without --quick its plots go beside it
  --help            this text

What was measured is kept in runs/links/: a run that was cut goes on where it was; remove the folder to measure anew.
Exit codes: 0 done, 2 wrong usage or input, 130 interrupted, 1 anything unexpected.`;

export interface LinksOptions {
  service: string;
  baselines: string;
  loopback: boolean;
  quick: boolean;
  page?: string;
  json: string;
  /** What was typed, for the report. */
  command: string;
}

export const baselinesFile = (service: string): string =>
  join(packageRoot(), 'docs', 'results', `baselines-${service === 'yolov3' ? 'yolox-nano' : service}.json`);

/** @throws usageError for whatever makes no sense */
export function linksOptions(args: string[]): LinksOptions {
  const values = parseOptions(args, {
    service: text,
    baselines: text,
    loopback: flag,
    quick: flag,
    page: text,
    json: text,
  });
  if (!values.json) throw usageError('--json FILE: say where to write the report');
  if (extname(values.json) !== '.json') throw usageError(`--json ${values.json}: a name that ends in .json`);
  const service = values.service ?? 'yolox-nano';
  if (!(SERVICES as readonly string[]).includes(service)) {
    throw usageError(`--service ${service}: ${didYouMean(service, SERVICES)}`);
  }
  if (values.quick && values.page) throw usageError('--page: --quick draws no plots for it');
  for (const name of ['page', 'baselines'] as const) {
    const given = values[name];
    if (given !== undefined && !existsSync(given)) throw usageError(`--${name} ${given}: no such file`);
  }
  return {
    service,
    baselines: resolve(values.baselines ?? baselinesFile(service)),
    loopback: values.loopback ?? false,
    quick: values.quick ?? false,
    page: values.page && resolve(values.page),
    json: resolve(values.json),
    command: ['npm run bench:links --', ...args].join(' '),
  };
}
