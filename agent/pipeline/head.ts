import type { Bundle } from '../../platform/bundle.js';
import { InferenceWorker, type TensorValue } from '../../platform/inference/index.js';

/** What a head makes of a picture: h * w * channels bytes each, HWC. */
export interface Code {
  symbols: Uint8Array;
  /**
   * A symbol's neighbour where that stands for the value nearly as well, elsewhere the symbol itself. Heads whose frames
   * cannot be predicted have none.
   */
  alternates?: Uint8Array;
}

export interface HeadResult extends Code {
  /** The picture's memory, given back. */
  picture: Uint8Array;
  /** Inside ONNX Runtime, ms. */
  runMs: number;
}

/** The heads of a bundle, each in its own thread, opened when first needed. */
export class Heads {
  readonly #open = new Map<number, Promise<InferenceWorker>>();

  constructor(
    readonly bundle: Bundle,
    readonly threads: number | undefined,
  ) {}

  /**
   * Prefix, encoder and quantiser of one partition point.
   * @param partition index in the manifest
   * @param picture letterboxed input; handed over while it runs, given back in the result
   * @throws DeepcodError `model_*`, `inference_*`
   */
  async run(partition: number, rate: number, picture: Uint8Array): Promise<HeadResult> {
    const { input } = this.bundle.manifest;
    const worker = await this.#worker(partition);
    const feeds: Record<string, TensorValue> = {
      picture: { type: 'uint8', dims: [1, input.height, input.width, 3], data: picture },
    };
    if (worker.inputs.some(({ name }) => name === 'rate')) {
      feeds.rate = { type: 'int64', dims: [1], data: BigInt64Array.of(BigInt(rate)) };
    }
    const { symbols, alternates } = await worker.run(feeds, { transfer: true });
    return {
      symbols: symbols.data as Uint8Array,
      alternates: alternates?.data as Uint8Array | undefined,
      picture: feeds.picture.data as Uint8Array,
      runMs: worker.lastRunMs,
    };
  }

  /** Ends all threads after the runs under way. */
  async close(): Promise<void> {
    await Promise.all([...this.#open.values()].map((worker) => worker.then((open) => open.close()).catch(() => {})));
  }

  #worker(partition: number): Promise<InferenceWorker> {
    let worker = this.#open.get(partition);
    if (!worker) {
      const model = this.bundle.file(this.bundle.manifest.partitions[partition].head);
      worker = InferenceWorker.open({ model, threads: this.threads });
      this.#open.set(partition, worker);
      worker.catch(() => this.#open.delete(partition));
    }
    return worker;
  }
}
