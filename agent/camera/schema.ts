import type { ConfigSchema } from '../../platform/config.js';
import type { CameraOptions } from './camera.js';
import { DEFAULT_SEED } from './simulated.js';

/** `camera` of agent.yaml; docs/cameras.md. */
export type CameraConfig = Omit<CameraOptions, 'frames' | 'warn' | 'changed'> & { fps: number };

export const cameraSchema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  default: {},
  description: 'where pictures come from: docs/cameras.md',
  properties: {
    source: {
      type: 'string',
      default: 'simulated',
      description:
        'rpicam (camera at a CSI port), v4l2 (USB camera), rtsp (network camera), simulated (an animated work site), or ' +
        'replay (a folder of images, or a video)',
    },
    fps: {
      type: 'number',
      minimum: 0,
      maximum: 120,
      default: 5,
      description: 'pictures per second; 0 takes the next one as soon as there is room for it',
    },
    index: {
      type: 'integer',
      minimum: 0,
      maximum: 15,
      default: 0,
      description: 'rpicam: which camera, as `deepcod camera list` counts them',
    },
    device: {
      type: 'string',
      format: 'path',
      default: '/dev/video0',
      description:
        'v4l2: the device; a link below /dev/v4l/by-id stays the same when devices are plugged in another order',
    },
    url: {
      type: 'string',
      pattern: '^rtsps?://[^\\s]+$',
      description: 'rtsp: address of the stream, rtsp://host[:port]/path, without a password',
    },
    username: { type: 'string', minLength: 1, description: 'rtsp: user name at the camera' },
    password_file: { type: 'string', format: 'path', description: 'rtsp: file that holds the password' },
    size: {
      type: 'string',
      pattern: '^[1-9][0-9]{1,4}x[1-9][0-9]{1,4}$',
      description:
        'WIDTHxHEIGHT: rpicam: sensor mode, v4l2: size to take pictures in; default: the least that shows the whole view',
    },
    rotation: { enum: [0, 180], default: 0, description: 'rpicam, v4l2, rtsp: 180 where the camera hangs upside down' },
    hflip: { type: 'boolean', default: false, description: 'rpicam, v4l2, rtsp: left and right swapped' },
    vflip: { type: 'boolean', default: false, description: 'rpicam, v4l2, rtsp: top and bottom swapped' },
    shutter_us: {
      type: 'integer',
      minimum: 1,
      maximum: 1000000,
      description: 'rpicam: fixed exposure time, microseconds; default: automatic',
    },
    gain: { type: 'number', minimum: 1, maximum: 64, description: 'rpicam: fixed analogue gain; default: automatic' },
    lens_position: {
      type: 'number',
      minimum: 0,
      maximum: 32,
      description:
        'rpicam: fixed focus in dioptres (0 is far away, 2 is half a metre); default: autofocus where there is one',
    },
    input: { type: 'string', format: 'path', description: 'replay: folder of images, or video file' },
    seed: { type: 'integer', minimum: 0, default: DEFAULT_SEED, description: 'simulated: which work site' },
    loop: { type: 'boolean', default: true, description: 'replay: start again at the end' },
  },
};
