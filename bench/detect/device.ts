import { pictureBuffers } from '../../agent/pipeline/buffers.js';
import { LocalService } from '../../agent/pipeline/local.js';
import type { Bundle } from '../../platform/bundle.js';
import type { DetectOptions, Trip } from './trip.js';

/** Trips of frames that never leave the device: the service as the agent runs it. @param clock milliseconds */
export function openDeviceTrip(bundle: Bundle, options: DetectOptions, clock: () => number): Trip {
  const { manifest } = bundle;
  const judged = { ...manifest.service, score_threshold: options.score, nms_iou: options.iou };
  const service = new LocalService({ ...bundle, manifest: { ...manifest, service: judged } }, options.threads);
  const buffers = pictureBuffers(manifest.input);
  return {
    async frame(_number, picture, preprocessor) {
      const size = { width: picture.sourceWidth, height: picture.sourceHeight };
      const colours = service.coloursFor(preprocessor.coloursOf(picture));
      const started = clock();
      const input = buffers[colours].take();
      preprocessor.place(picture, input, colours);
      const begun = clock();
      const { detections, postMs, picture: back } = await service.run(input, size, colours);
      buffers[colours].give(back);
      return {
        ...size,
        ...{ bytes: 0, capture_ms: picture.captureMs, preprocess_ms: begun - started },
        ...{ head_ms: clock() - begun - postMs, encode_ms: 0, decode_ms: 0, tail_ms: 0, post_ms: postMs },
        detections: detections.slice(0, options.limit),
      };
    },
    close: () => service.close(),
  };
}
