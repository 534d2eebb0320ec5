import { fork } from 'node:child_process';
import { once } from 'node:events';
import { DeepcodError, ExitCode } from '../errors.js';
import type { Log } from '../log.js';
import { type Provider, providers } from './provider.js';

/** What came of trying one. */
export type Trial =
  /** It ran; ms of one run of the probe's model. */
  { ok: true; ms: number } | { ok: false; why: string };

/** A trial ends after so long, ms: TensorRT builds an engine first. */
const PATIENCE_MS = 60_000;
/** A device that is no faster than this share of the processor is software that pretends to be one. */
const WORTH = 1;

const advice: Record<Provider, string> = {
  tensorrt: 'scripts/install-cuda installs ONNX Runtime’s part; TensorRT 10 and CUDA 12 come from NVIDIA.',
  cuda: 'scripts/install-cuda installs ONNX Runtime’s part; CUDA 12 and cuDNN 9 come from NVIDIA.',
  coreml: 'There is none but on macOS.',
  dml: 'There is none but on Windows.',
  webgpu: 'It needs a graphics driver with Vulkan, Metal or Direct3D 12.',
  cpu: 'onnxruntime-node is not installed completely: install the packages again.',
};

export interface ProviderChoice {
  /** Tries one provider. */
  attempt?: (provider: Provider) => Promise<Trial>;
  /** What this build of ONNX Runtime knows, best first. */
  known?: readonly Provider[];
}

/**
 * The provider to run models on. `auto` takes the first that really runs a small model, and says which and why the others
 * were not taken; one that is named is tried as well.
 * @throws DeepcodError `provider_unavailable` (exit code 2) for one that is named and does not run here
 */
export async function chooseProvider(
  wanted: Provider | 'auto',
  log: Log,
  { attempt = tryProvider, known }: ProviderChoice = {},
): Promise<Provider> {
  if (wanted === 'cpu') {
    log.info('models run on cpu, as configured');
    return wanted;
  }
  const order = known ?? (await knownProviders());
  if (wanted !== 'auto') {
    const trial = order.includes(wanted) ? await attempt(wanted) : { ok: false as const, why: notBuiltIn };
    if (!trial.ok) {
      throw new DeepcodError(
        'provider_unavailable',
        `inference.provider: ${wanted} cannot be used here: ${trial.why}`,
        `${advice[wanted]} "auto" takes what there is, "cpu" always works.`,
        ExitCode.usage,
      );
    }
    log.info(`models run on ${wanted}, as configured`, { probe_ms: round(trial.ms) });
    return wanted;
  }
  const not: Record<string, string> = {};
  let cpu: Trial | undefined;
  for (const provider of order) {
    if (provider === 'cpu') break;
    const trial = await attempt(provider);
    if (!trial.ok) {
      not[provider] = trial.why;
      continue;
    }
    cpu ??= await attempt('cpu');
    if (cpu.ok && trial.ms >= WORTH * cpu.ms) {
      not[provider] = `runs, but takes ${round(trial.ms)} ms where the processor takes ${round(cpu.ms)} ms`;
      continue;
    }
    log.info(`models run on ${provider}`, { probe_ms: round(trial.ms), not_taken: listed(not) });
    return provider;
  }
  log.info('models run on cpu', { not_taken: listed(not) });
  return 'cpu';
}

const notBuiltIn = 'this build of ONNX Runtime has no part for it';

/** What ONNX Runtime's build for this platform knows, best first. */
export async function knownProviders(): Promise<Provider[]> {
  const { listSupportedBackends } = await import('onnxruntime-node');
  const names = new Set(listSupportedBackends().map(({ name }) => name));
  return providers.filter((provider) => names.has(provider));
}

/**
 * Runs a small model in a process of its own: a driver that crashes takes nothing with it. Never rejects.
 * @param probe the program that does it; another one in tests
 */
export async function tryProvider(
  provider: Provider,
  probe: URL = new URL('./probe.js', import.meta.url),
  patienceMs = PATIENCE_MS,
): Promise<Trial> {
  const child = fork(probe, [provider], { stdio: ['ignore', 'ignore', 'ignore', 'ipc'], execArgv: [] });
  let answer: Trial | undefined;
  child.on('message', (message) => {
    answer = message as Trial;
  });
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    child.kill('SIGKILL');
  }, patienceMs);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    if (answer) return answer;
    if (late) return { ok: false, why: `no answer within ${patienceMs / 1000} s` };
    return { ok: false, why: `it crashed (${signal ?? `exit code ${code}`})` };
  } catch (error) {
    return { ok: false, why: (error as Error).message };
  } finally {
    clearTimeout(timer);
  }
}

const listed = (not: Record<string, string>): string | undefined =>
  Object.entries(not)
    .map(([provider, why]) => `${provider}: ${why}`)
    .join('; ') || undefined;
const round = (ms: number): number => Math.round(ms * 100) / 100;
