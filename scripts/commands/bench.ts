import { resolve } from 'node:path';
import { loadAgentConfig } from '../../agent/config/config.js';
import { openBundle } from '../../platform/bundle.js';
import { configured } from '../../platform/configured.js';
import { ExitCode } from '../../platform/errors.js';
import { usageError } from '../../platform/main.js';
import { flag, numberOption, parseOptionsAndNames, text } from '../../platform/options.js';
import { defaultBundle } from '../../platform/root.js';
import { benchTable, measureBench } from './bench/device.js';

const RUNS = 10;

export const usage = `usage: ./scripts/deepcod bench device [options]

What this device reaches: every head and the whole service, the entropy coder, and the camera alone; beside the times that
are published for its model of board. Nothing else should run meanwhile: stop the agent first (it also holds the camera).

  --config FILE     the agent's configuration: bundle, threads, camera
  --bundle DIR      measure this bundle (default: the configuration's, else models/onnx/worksite)
  --runs N          timed runs of each, after one to warm up (default: ${RUNS})
  --no-camera       do not count the camera's pictures
  --json            the figures as one JSON object
  --help            this text

Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 bundle, 4 camera.`;

export async function run(args: string[]): Promise<number> {
  const options = { config: text, bundle: text, runs: text, 'no-camera': flag, json: flag };
  const { values, names } = parseOptionsAndNames(args, options, 1);
  if (names[0] !== 'device') throw usageError(`bench ${names[0] ?? ''}: what? There is \`bench device\``);
  const runs = numberOption('runs', values.runs, 1, 1000) ?? RUNS;
  const { config } = configured('bench', (sources) => {
    const bundle = values.bundle ?? (values.config === undefined ? defaultBundle() : undefined);
    const overrides = bundle === undefined ? {} : { bundle: resolve(bundle) };
    return loadAgentConfig({ ...sources, file: values.config, overrides });
  });
  const say = (line: string) => void process.stderr.write(`${line}\n`);
  const bundle = await openBundle(config.bundle);
  const report = await measureBench(bundle, config.threads, runs, config.camera, !values['no-camera'], say);
  process.stdout.write(`${values.json ? JSON.stringify(report) : benchTable(report)}\n`);
  return ExitCode.ok;
}
