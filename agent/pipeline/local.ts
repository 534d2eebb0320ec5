import type { Bundle } from '../../platform/bundle.js';
import type { TensorValue } from '../../platform/inference/index.js';
import type { Detection } from '../../protocol/result.js';
import { postprocess } from '../../protocol/tasks/postprocess.js';
import type { Outputs } from '../../protocol/tasks/task.js';
import { type Colours, pictureTensor, serviceFor } from './colours.js';
import { Models } from './models.js';

export interface LocalResult {
  detections: Detection[];
  /** The picture's memory, given back. */
  picture: Uint8Array;
  runMs: number;
  postMs: number;
}

/** The whole service on the device: partition point `device`. Loaded when first needed. */
export class LocalService {
  /** @param models where it is loaded; default: by itself */
  constructor(
    readonly bundle: Bundle,
    threads: number | undefined,
    readonly models = new Models(threads),
  ) {}

  /** As what the service reads a picture: as planes only where the picture has them and the bundle has such a model. */
  coloursFor(picture: Colours): Colours {
    return this.bundle.manifest.service.model_yuv === undefined ? 'rgb' : picture;
  }

  /**
   * @param picture letterboxed input; handed over while it runs
   * @param source size of the source picture, pixels
   * @param colours of the picture; see `coloursFor`
   */
  async run(
    picture: Uint8Array,
    source: { width: number; height: number },
    colours: Colours = 'rgb',
  ): Promise<LocalResult> {
    const { manifest } = this.bundle;
    const worker = await this.models.get(this.bundle.file(serviceFor(manifest, colours)));
    const feeds: Record<string, TensorValue> = { picture: pictureTensor(manifest.input, colours, picture) };
    const outputs = await worker.run(feeds, { transfer: true });
    const { lastRunMs } = worker;
    const start = performance.now();
    const detections = postprocess(outputs as unknown as Outputs, 0, manifest, source);
    return {
      detections,
      picture: feeds.picture.data as Uint8Array,
      runMs: lastRunMs,
      postMs: performance.now() - start,
    };
  }

  /** Ends its thread after the runs under way. */
  close(): Promise<void> {
    return this.models.close();
  }
}
