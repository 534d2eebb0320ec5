import type { TensorValue } from '../../platform/inference/index.js';
import type { InputSpec } from '../../protocol/letterbox.js';
import type { Manifest } from '../../protocol/manifest.js';

/** How a letterboxed picture lies in memory: RGB by pixel, or Y, U and V one after the other, chroma halved both ways. */
export type Colours = 'rgb' | 'yuv';

/** Bytes of one letterboxed picture. */
export function pictureBytes({ width, height }: Pick<InputSpec, 'width' | 'height'>, colours: Colours): number {
  return width * height * (colours === 'yuv' ? 1.5 : 3);
}

/** A letterboxed picture as the input of a head or of the service. */
export function pictureTensor(
  { width, height }: Pick<InputSpec, 'width' | 'height'>,
  colours: Colours,
  data: Uint8Array,
): TensorValue {
  return { type: 'uint8', dims: colours === 'yuv' ? [1, height * 1.5, width] : [1, height, width, 3], data };
}

/** The head of a partition point that reads such pictures, as the manifest names it; RGB where there is one alone. */
export function headFor({ partitions }: Manifest, partition: number, colours: Colours): string {
  const { head, head_yuv } = partitions[partition];
  return (colours === 'yuv' && head_yuv) || head;
}

/** The whole service that reads such pictures, likewise. */
export function serviceFor({ service: { model, model_yuv } }: Manifest, colours: Colours): string {
  return (colours === 'yuv' && model_yuv) || model;
}
