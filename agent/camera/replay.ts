import { stat } from 'node:fs/promises';
import { DeepcodError, ExitCode } from '../../platform/errors.js';
import type { OpenCamera } from './camera.js';
import { isImageFile, listImages, openImages } from './replay/images.js';
import { openVideo } from './replay/video.js';

/**
 * Plays what was recorded: a folder of images (sorted by name, numbers in names by value), one image, or a video.
 * @throws DeepcodError `camera_input_missing`, `camera_no_images`, `camera_ffmpeg_missing`, `camera_video_broken`
 */
export const openReplay: OpenCamera = async (options, fit) => {
  const { input } = options;
  if (!input) {
    throw new DeepcodError(
      'camera_input_missing',
      'the replay camera has no input',
      'set camera.input (or --input) to a folder of images or a video file',
      ExitCode.usage,
    );
  }
  const found = await stat(input).catch((error: NodeJS.ErrnoException) => {
    throw new DeepcodError(
      'camera_input_missing',
      error.code === 'ENOENT' ? `camera input not found: ${input}` : `camera input cannot be opened: ${error.message}`,
      'check camera.input (or --input); a relative path starts at the working directory',
      ExitCode.camera,
    );
  });
  if (found.isDirectory()) return openImages(await listImages(input), input, options, fit);
  if (isImageFile(input)) return openImages([input], input, options, fit);
  return openVideo(input, options, fit);
};
