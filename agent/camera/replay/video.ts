import { basename } from 'node:path';
import type { Camera, CameraOptions, Fit } from '../camera.js';
import { Pace } from '../pace.js';
import { Decoder, probe, videoBroken } from './ffmpeg.js';

/**
 * Plays a video through ffmpeg, at the speed it was taken: a lower `fps` than the file's leaves pictures out, as a
 * camera at that rate would; a higher one gives the file's own rate. `fps` 0 gives every picture as soon as it is asked for.
 */
export async function openVideo(path: string, options: CameraOptions, fit: Fit): Promise<Camera> {
  const info = await probe(path);
  const size = fit(info.width, info.height);
  const wanted = options.fps ?? 0;
  const resampled = wanted > 0 && (info.fps === 0 || wanted < info.fps);
  const pace = new Pace(wanted > 0 ? (resampled ? wanted : info.fps) : 0);
  const limit = options.frames ?? Infinity;
  let decoder: Decoder | null = new Decoder(path, size, resampled ? wanted : 0);
  let told = false;
  let given = 0;

  return {
    description: `replay of ${path} (${info.width}x${info.height}${info.fps ? `, ${Number(info.fps.toFixed(2))} pictures per second` : ''})`,
    async next(signal) {
      if (!decoder || given >= limit) return null;
      await pace.wait(signal);
      for (;;) {
        const current: Decoder | null = decoder;
        if (!current) return null;
        const capturedAt = performance.now();
        const data = await current.frame(signal);
        if (data) {
          given++;
          return {
            data,
            width: size.width,
            height: size.height,
            sourceWidth: info.width,
            sourceHeight: info.height,
            capturedAt,
            captureMs: performance.now() - capturedAt,
            name: `${basename(path)} picture ${given}`,
          };
        }
        await current.close();
        if (decoder !== current) return null;
        decoder = null;
        if (current.frames === 0) throw videoBroken(path, current.errors || 'it has no pictures in it');
        if (current.errors && !told) {
          told = true;
          options.warn?.(`${path} is damaged in places: ${current.errors.split('\n').at(-1)}`);
        }
        if (!options.loop) return null;
        decoder = new Decoder(path, size, resampled ? wanted : 0);
      }
    },
    async close() {
      const current = decoder;
      decoder = null;
      await current?.close();
    },
  };
}
