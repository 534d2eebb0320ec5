/**
 * Runs a small model on the execution provider that is named, and says how long it took. In a process of its own, started
 * by choose-provider.ts only: a broken driver may crash it.
 */
import * as ort from 'onnxruntime-node';
import type { Trial } from './choose-provider.js';
import { probeModel } from './probe-model.js';

/** Runs that are timed, after two to warm up. */
const RUNS = 5;
/** Values may differ by so much: providers round differently, and may use fewer bits. */
const TOLERANCE = 0.02;

const say = (trial: Trial): void => {
  // The runtime's own threads may not end by themselves.
  process.send?.(trial, undefined, undefined, () => process.exit(0));
};

/** The first line of what the runtime says, without the places in its source. */
function reason(error: unknown): string {
  const [line] = (error as Error).message.split('\n');
  return line.replace(/^.*?(?=Failed|Unable|failed|unable|Specified|not )/, '').slice(0, 300) || 'no reason given';
}

try {
  const [provider] = process.argv.slice(2);
  const { model, input, output, size, expected } = probeModel();
  const session = await ort.InferenceSession.create(model, {
    executionProviders: [provider],
    logSeverityLevel: 4,
    // A provider that leaves the work to the processor is none.
    ...(provider !== 'cpu' && { extra: { session: { disable_cpu_ep_fallback: '1' } } }),
  });
  const feeds = { [input]: new ort.Tensor('float32', new Float32Array(size).fill(1), [1, 16, 64, 64]) };
  let ms = Number.POSITIVE_INFINITY;
  for (let run = -2; run < RUNS; run++) {
    const start = performance.now();
    const result = await session.run(feeds);
    if (run >= 0) ms = Math.min(ms, performance.now() - start);
    const value = (result[output].data as Float32Array)[64 * 32 + 32];
    if (!(Math.abs(value - expected) <= TOLERANCE * Math.abs(expected))) {
      throw new Error(`failed: it computes ${value} where ${expected} is right`);
    }
  }
  say({ ok: true, ms });
} catch (error) {
  say({ ok: false, why: reason(error) });
}
