import type { CameraOptions, Fit } from '../camera.js';
import type { Start } from '../live/source.js';

/** How ffmpeg begins: nothing is asked, and only what is wrong is said. */
export const QUIET = ['-hide_banner', '-nostdin', '-loglevel', 'warning'] as const;

/** What comes after the input: the first video, turned and scaled, as RGB on standard output, each picture when it is there. */
export function rgbOutput(options: CameraOptions, size: { width: number; height: number }): string[] {
  const upsideDown = options.rotation === 180;
  const filters = [
    // who comes in the middle of a stream gets grey pictures until one stands alone
    'select=key+not(isnan(prev_selected_t))',
    ...(upsideDown !== (options.hflip ?? false) ? ['hflip'] : []),
    ...(upsideDown !== (options.vflip ?? false) ? ['vflip'] : []),
    // as for recorded videos: swscale widens it with the reduction
    `scale=${size.width}:${size.height}:flags=bilinear`,
    'setsar=1',
  ];
  return [
    ...['-map', '0:v:0', '-vf', filters.join(','), '-fps_mode', 'passthrough'],
    ...['-f', 'rawvideo', '-pix_fmt', 'rgb24', '-flush_packets', '1', 'pipe:1'],
  ];
}

/** How pictures of this source size come out of `rgbOutput`. */
export function rgbPictures(source: { width: number; height: number }, fit: Fit): Pick<Start, 'sizes' | 'picture'> {
  const { width, height } = fit(source.width, source.height);
  return {
    sizes: [width * height * 3],
    picture: (data) => ({ data, width, height, sourceWidth: source.width, sourceHeight: source.height }),
  };
}
