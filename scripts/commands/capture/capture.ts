import { mkdir, readdir, rm, stat, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import sharp from 'sharp';
import type { CameraOptions, OpenCamera, Picture } from '../../../agent/camera/camera.js';
import { rgbOf } from '../../../agent/camera/yuv.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';
import { replaceFile } from '../../../platform/files/replace.js';
import { versions } from '../../../platform/versions.js';
import { nextWithin, openFreeCamera } from './free-camera.js';

/** What is kept, and how much of it. */
export interface CapturePlan {
  folder: string;
  /** Most that the folder may hold, files that are there already included. */
  mostBytes: number;
  everyMs: number;
  /** Longest side of a picture, pixels. */
  side: number;
  forMs?: number;
  camera: CameraOptions;
  device: string;
  /** Who agreed, and when. */
  agreed: string;
}

/** What came of it; also metadata.json beside the pictures. */
export interface CaptureReport {
  device: string;
  agreed: string;
  camera: string;
  started: string;
  /** Of all runs into this folder. */
  pictures: number;
  bytes: number;
  every_s: number;
  /** Why it ended. */
  ended: string;
  /** What was wrong with the camera when the time was over. */
  camera_trouble?: string;
  versions: Record<string, string>;
}

/** So much of the disk is left free: the system and the agent need it. */
const FREE_BYTES = 500e6;
const FREE_SHARE = 0.05;
/** People may be in the pictures: for the owner alone. */
const PRIVATE = 0o600;
/** Quality at which nothing that a detector could learn is lost. */
const JPEG_QUALITY = 92;
/** A camera that gives no picture for so long is not to be had, ms. */
const FIRST_MS = 15_000;
/** A later one is waited for until the time is over, and no longer than a timer can run, ms. */
const LONGEST_MS = 2 ** 31 - 1;
const FREE_EVERY = 10;

const README = (device: string, agreed: string) => `Pictures of ${device}, kept by \`deepcod capture\` for training.

Agreed: ${agreed}

They may show people: keep them where only those see them who must, use them for what was agreed, and delete them when
that is done or the agreement is withdrawn. metadata.json says how they were taken. File names are the time of the picture
(UTC). The toolkit takes the folder as it is: docs/training.md.
`;

/**
 * Takes pictures until the folder is full, the time is over, the disk runs short, the input ends, or it is stopped. Every
 * file is whole at any time: written beside, then renamed. A camera that fails after its first picture is waited for until
 * the time is over; the report says so then.
 * @throws DeepcodError `camera_*` (exit code 4; also where the time is over without a picture), `capture_folder`,
 * `capture_disk` (2)
 */
export async function capture(
  plan: CapturePlan,
  parts: {
    openCamera: OpenCamera;
    say: (line: string) => void;
    signal: AbortSignal;
    free?: (folder: string) => Promise<boolean>;
  },
): Promise<CaptureReport> {
  const { folder, mostBytes, everyMs, side, forMs = Number.POSITIVE_INFINITY } = plan;
  const { signal, say, free = hasRoom } = parts;
  await prepare(folder);
  if (!(await free(folder))) throw diskShort(folder);
  const camera = await openFreeCamera(plan, parts, signal);
  const before = await contents(folder);
  const report: CaptureReport = {
    ...{ device: plan.device, agreed: plan.agreed, camera: camera.description, started: new Date().toISOString() },
    ...{ pictures: before.pictures, bytes: before.bytes, every_s: everyMs / 1000, ended: 'the input ended' },
    versions: versions(),
  };
  replaceFile(join(folder, 'README.txt'), README(plan.device, plan.agreed), PRIVATE);
  const start = performance.now();
  const end = start + forMs;
  let taken = 0;
  try {
    for (let next = start; ; next += everyMs) {
      await pause(Math.max(0, Math.min(next, end) - performance.now()), undefined, { signal });
      if (performance.now() >= end) {
        timeIsOver(report, camera.trouble);
        break;
      }
      if (taken % FREE_EVERY === 0 && !(await free(folder))) {
        report.ended = 'the disk runs short of room';
        break;
      }
      const patience = Math.min(end - performance.now(), taken === 0 ? FIRST_MS : LONGEST_MS);
      const picture = await nextWithin(patience, camera, signal);
      if (picture === 'none') {
        if (taken === 0) throw noPicture(camera.description, patience, camera.trouble);
        timeIsOver(report, camera.trouble ?? (patience >= FIRST_MS ? noneIn(patience) : undefined));
        break;
      }
      if (!picture) break;
      const jpeg = await encode(picture, side);
      if (report.bytes + jpeg.length > mostBytes) {
        report.ended = 'the folder is full';
        break;
      }
      replaceFile(join(folder, `${stamp(new Date())}.jpg`), jpeg, PRIVATE);
      taken++;
      report.pictures++;
      report.bytes += jpeg.length;
      if (taken === 1) say(`${camera.description}: the first of ${(jpeg.length / 1000).toFixed(0)} KB; Ctrl-C ends it`);
    }
  } catch (error) {
    report.ended = signal.aborted ? 'stopped' : (error as Error).message;
    if (!signal.aborted) throw error;
  } finally {
    report.camera = camera.description;
    await camera.close();
    replaceFile(join(folder, 'metadata.json'), `${JSON.stringify(report, null, 2)}\n`, PRIVATE);
  }
  return report;
}

function timeIsOver(report: CaptureReport, trouble: string | undefined): void {
  report.ended = `the time is over${trouble === undefined ? '' : `, and the camera has failed: ${trouble}`}`;
  if (trouble !== undefined) report.camera_trouble = trouble;
}

const noneIn = (ms: number) => `no picture within ${Math.round(ms / 100) / 10} s`;

const noPicture = (description: string, ms: number, trouble: string | undefined) =>
  new DeepcodError(
    'camera_silent',
    `${description}: ${noneIn(ms)}${trouble === undefined ? '' : `: ${trouble}`}`,
    'Does the agent hold the camera? `sudo systemctl stop deepcod-agent`; else `deepcod doctor --only camera`.',
    ExitCode.camera,
  );

const diskShort = (folder: string) =>
  new DeepcodError(
    'capture_disk',
    `${folder}: the disk has no room to spare (${FREE_BYTES / 1e6} MB and ${FREE_SHARE * 100}% stay free)`,
    'Make room, or name a folder on another disk.',
    ExitCode.usage,
  );

async function encode(picture: Picture, side: number) {
  const { width, height } = picture;
  return sharp(rgbOf(picture), { raw: { width, height, channels: 3 } })
    .resize({ width: side, height: side, fit: 'inside', withoutEnlargement: true })
    .jpeg({ quality: JPEG_QUALITY })
    .toBuffer();
}

/** Makes the folder, and takes away what a power cut left half written. */
async function prepare(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(folder)) if (name.endsWith('.part')) await rm(join(folder, name));
  } catch (error) {
    throw new DeepcodError(
      'capture_folder',
      `${folder}: ${(error as Error).message}`,
      'Name a folder where you may write.',
      ExitCode.usage,
    );
  }
}

async function contents(folder: string): Promise<{ pictures: number; bytes: number }> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.jpg'));
  const sizes = await Promise.all(names.map(async (name) => (await stat(join(folder, name))).size));
  return { pictures: names.length, bytes: sizes.reduce((sum, size) => sum + size, 0) };
}

async function hasRoom(folder: string): Promise<boolean> {
  const { bsize, bavail, blocks } = await statfs(folder);
  return bsize * bavail > Math.max(FREE_BYTES, FREE_SHARE * bsize * blocks);
}

/** 20261121T184302.123Z */
const stamp = (at: Date): string => at.toISOString().replaceAll(/[-:]/g, '');
