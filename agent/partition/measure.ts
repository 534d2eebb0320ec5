import type { Heads } from '../pipeline/head.js';
import type { LocalService } from '../pipeline/local.js';
import type { Choice } from './choices.js';

/** Runs per point after one to warm up. The paper takes 20; at every start, three say enough to begin with. */
const RUNS = 3;

/**
 * Times every point of the choices on this device with a grey picture.
 * @param inputBytes size of the service's input
 * @returns mean ms by partition id
 */
export async function measureDevice(
  choices: readonly Choice[],
  heads: Heads,
  service: LocalService,
  inputBytes: number,
): Promise<Record<string, number>> {
  const times: Record<string, number> = {};
  let picture: Uint8Array = new Uint8Array(inputBytes).fill(114);
  for (const choice of choices) {
    if (choice.id in times || choice.id === 'raw') continue;
    let sum = 0;
    for (let run = 0; run <= RUNS; run++) {
      const start = performance.now();
      const result =
        choice.id === 'device'
          ? await service.run(picture, { width: 1, height: 1 })
          : await heads.run(choice.partition, choice.rate, picture);
      picture = result.picture;
      if (run > 0) sum += performance.now() - start;
    }
    times[choice.id] = sum / RUNS;
  }
  return times;
}
