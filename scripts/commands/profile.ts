import { resolve } from 'node:path';
import { coloursOf } from '../../agent/camera/index.js';
import { loadAgentConfig } from '../../agent/config/config.js';
import { machineFingerprint, profileFingerprint } from '../../agent/partition/fingerprint.js';
import { readProfile, readTimeModel, writeProfile } from '../../agent/partition/profile.js';
import type { Colours } from '../../agent/pipeline/colours.js';
import { openBundle } from '../../platform/bundle.js';
import { configured } from '../../platform/configured.js';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import { usageError } from '../../platform/main.js';
import { flag, numberOption, parseOptions, text } from '../../platform/options.js';
import { defaultBundle } from '../../platform/root.js';
import { writeReport } from '../json.js';
import { measureBundle, predictBundle } from './profile/measure.js';
import { type ProfileReport, profileTable, reportOf } from './profile/report.js';

export const usage = `usage: ./scripts/deepcod profile [--config agent.yaml | --bundle DIR] [options]

Measures every head of the bundle and the whole service on this device, and stores the times where the agent finds them.
Nothing else should run meanwhile: stop the agent first. What is stored for this device and bundle is shown, not measured again.

  --config FILE     the agent's configuration: bundle, threads, profile.file, and the camera: for one that gives YUV, the
                    models that read YUV
  --bundle DIR      measure this bundle (default: the configuration's, else models/onnx/worksite)
  --profile FILE    where the times are stored (default: the configuration's profile.file, else nowhere)
  --runs N          timed runs of each, after one to warm up (default: 20)
  --force           measure again
  --predict DIR     predict the times of another bundle from what was measured on this device
  --verify          with --predict: measure them too, and show how wrong the prediction is
  --json FILE       write everything to a file
  --help            this text

Exit codes: 0 done, 1 unexpected, 2 usage or configuration, 3 bundle.`;

const RUNS = 20;

export async function run(args: string[]): Promise<number> {
  const values = parseOptions(args, {
    config: text,
    bundle: text,
    profile: text,
    runs: text,
    force: flag,
    predict: text,
    verify: flag,
    json: text,
  });
  const runs = numberOption('runs', values.runs, 1, 10_000) ?? RUNS;
  if (values.verify && values.predict === undefined) throw usageError('--verify: only with --predict');
  const { config } = configured('profile', (sources) => {
    const bundle = values.bundle ?? (values.config === undefined ? defaultBundle() : undefined);
    const overrides = {
      ...(bundle !== undefined && { bundle: resolve(bundle) }),
      ...(values.profile !== undefined && { profile: { file: resolve(values.profile) } }),
    };
    return loadAgentConfig({ ...sources, file: values.config, overrides });
  });
  const how = { threads: config.threads, colours: coloursOf(config.camera.source) };
  const { file } = config.profile;
  const report =
    values.predict === undefined
      ? await profiled(config.bundle, how, runs, file, values.force ?? false)
      : await predicted(resolve(values.predict), how, file, values.verify ? runs : 0);
  process.stdout.write(`${profileTable(report)}\n`);
  if (values.predict === undefined) process.stdout.write(`${file ? `stored in ${file}` : notStored}\n`);
  if (values.json !== undefined) writeReport(values.json, report);
  return ExitCode.ok;
}

const notStored = 'not stored: name a file with --profile, or profile.file in the configuration';
const say = (line: string) => void process.stderr.write(`${line}\n`);

/** Threads of one inference, and in which colours the camera gives its pictures. */
interface How {
  threads: number | undefined;
  colours: Colours;
}

/** Measures, unless the file has as good a measurement already. */
async function profiled(
  dir: string,
  { threads, colours }: How,
  runs: number,
  file: string | undefined,
  force: boolean,
): Promise<ProfileReport> {
  const bundle = await openBundle(dir);
  const fingerprint = profileFingerprint(bundle.id, threads, colours);
  const stored = file === undefined ? undefined : readProfile(file, fingerprint);
  if (stored?.time_model && (stored.device_runs ?? 0) >= runs && !force) {
    say('measured before on this device with these versions; --force measures again');
    return reportOf(bundle, threads, stored, stored.time_model.left_out_ms);
  }
  const { times, model } = await measureBundle(bundle, threads, colours, runs, say);
  const profile = {
    // What the agent learnt about edge and link stays true.
    edge_ms: {},
    ...stored,
    fingerprint,
    device_ms: times.mean,
    device_deviation_ms: times.deviation,
    device_runs: times.runs,
    time_model: { fingerprint: machineFingerprint(threads), ...model },
  };
  if (file !== undefined) writeProfile(file, profile);
  return reportOf(bundle, threads, profile, model.left_out_ms);
}

/** @param runs 0: predict only */
async function predicted(
  dir: string,
  { threads, colours }: How,
  file: string | undefined,
  runs: number,
): Promise<ProfileReport> {
  const model = file === undefined ? undefined : readTimeModel(file, machineFingerprint(threads));
  if (!model) {
    throw new DeepcodError(
      'time_model_missing',
      `${file ?? 'no profile file'}: no time model of this device with these versions and threads`,
      'Make one first: ./scripts/deepcod profile --profile FILE, without --predict.',
      ExitCode.usage,
    );
  }
  const bundle = await openBundle(dir);
  const expected = await predictBundle(bundle, threads, colours, model, say);
  if (runs === 0) return reportOf(bundle, threads, undefined, expected);
  const { mean, deviation } = (await measureBundle(bundle, threads, colours, runs, say)).times;
  return reportOf(bundle, threads, { device_ms: mean, device_deviation_ms: deviation, device_runs: runs }, expected);
}
