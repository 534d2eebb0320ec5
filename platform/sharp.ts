import type sharp from 'sharp';

let loading: Promise<typeof sharp> | undefined;

/**
 * sharp, loaded when a picture first needs it: its libraries take 30 MB, which a device with a camera of its own never
 * pays. It keeps no results: every picture comes once.
 */
export function loadSharp(): Promise<typeof sharp> {
  loading ??= import('sharp').then(({ default: loaded }) => {
    loaded.cache(false);
    return loaded;
  });
  return loading;
}
