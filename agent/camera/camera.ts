import type { CameraHealth } from '../../protocol/health.js';
import type { Detection } from '../../protocol/result.js';
import type { Yuv420 } from './yuv.js';

/** One picture, already scaled to what the service's letterbox asks for. */
export interface Picture {
  /** RGB, `width * height * 3` bytes, or planes as `yuv` says. The receiver owns it: it may be transferred to a worker. */
  data: Uint8Array;
  /** How the planes lie in `data`; absent: RGB. yuv.ts writes either as RGB. */
  yuv?: Yuv420;
  width: number;
  height: number;
  /** The size before scaling; boxes are in these pixels. */
  sourceWidth: number;
  sourceHeight: number;
  /** performance.now() at the moment the picture was taken, in ms. */
  capturedAt: number;
  /** How long after its moment it was there, in ms: sources prepare the next picture while the last one is used. */
  captureMs: number;
  /** What is really on it, where the source knows. */
  truth?: Detection[];
  /** File or frame name, for messages. */
  name?: string;
}

/** A source of pictures. */
export interface Camera {
  /** One line for logs and the page. */
  readonly description: string;
  /** Pictures that could not be read and were left out so far; each was told to `warn` once. */
  readonly skipped?: number;
  /** How a source that lives outside this process is doing. */
  readonly health?: CameraHealth;
  /**
   * The next picture; null at the end of the input. Waits for the next moment of the frame rate.
   * Calls do not overlap. Throws the signal's reason when it is aborted, and DeepcodError when the source fails.
   */
  next(signal: AbortSignal): Promise<Picture | null>;
  /** Frees what the camera holds; a next() under way ends. Safe to call twice. */
  close(): Promise<void>;
}

/** What the configuration says about the camera. */
export interface CameraOptions {
  /** A name of the registry (index.ts). */
  source: string;
  /** Pictures per second at most; 0 or absent is as fast as they are asked for. */
  fps?: number;
  /** Stop after this many pictures; absent is no limit. */
  frames?: number;
  /** `rpicam`: which camera of `rpicam-hello --list-cameras`; default: 0. */
  index?: number;
  /** `v4l2`: the device; default: /dev/video0. */
  device?: string;
  /** `rtsp`: the address, without a password. */
  url?: string;
  /** `rtsp`: who asks; the password is read from the file. */
  username?: string;
  password_file?: string;
  /** `rpicam`: sensor mode, `v4l2`: size to take pictures in, as WIDTHxHEIGHT; default: the least that shows the whole view. */
  size?: string;
  /** Live sources: degrees. */
  rotation?: 0 | 180;
  /** Live sources: mirrored. */
  hflip?: boolean;
  vflip?: boolean;
  /** `rpicam`: fixed exposure time in microseconds, gain, and focus in dioptres; default: the camera decides. */
  shutter_us?: number;
  gain?: number;
  lens_position?: number;
  /** `simulated`: which work site. */
  seed?: number;
  /** `replay`: a folder of images, one image, or a video file. */
  input?: string;
  /** `replay`: start again at the end. */
  loop?: boolean;
  /** Where a camera tells what it skipped or repaired; default: nowhere. */
  warn?: (message: string) => void;
  /** Told when a live source's state or message changes. */
  changed?: (health: CameraHealth) => void;
}

/** The size in which pictures of this source size are wanted (the content of the letterbox). */
export type Fit = (sourceWidth: number, sourceHeight: number) => { width: number; height: number };

export type OpenCamera = (options: CameraOptions, fit: Fit) => Promise<Camera>;
