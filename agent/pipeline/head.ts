import type { Bundle } from '../../platform/bundle.js';
import type { TensorValue } from '../../platform/inference/index.js';
import { type Colours, headFor, pictureTensor } from './colours.js';
import { Models } from './models.js';

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

/** The heads of a bundle, each in its own thread, loaded when first needed. */
export class Heads {
  /** @param models where they are loaded; default: by themselves */
  constructor(
    readonly bundle: Bundle,
    threads: number | undefined,
    readonly models = new Models(threads),
  ) {}

  /** As what a head reads a picture: as planes only where the picture has them and the bundle has such a head. */
  coloursFor(partition: number, picture: Colours): Colours {
    return this.bundle.manifest.partitions[partition].head_yuv === undefined ? 'rgb' : picture;
  }

  /**
   * Prefix, encoder and quantiser of one partition point.
   * @param partition index in the manifest
   * @param picture letterboxed input; handed over while it runs, given back in the result
   * @param colours of the picture; see `coloursFor`
   * @throws DeepcodError `model_*`, `inference_*`
   */
  async run(partition: number, rate: number, picture: Uint8Array, colours: Colours = 'rgb'): Promise<HeadResult> {
    const { manifest } = this.bundle;
    const { input } = manifest;
    const worker = await this.models.get(this.bundle.file(headFor(manifest, partition, colours)));
    const feeds: Record<string, TensorValue> = { picture: pictureTensor(input, colours, picture) };
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
  close(): Promise<void> {
    return this.models.close();
  }
}
