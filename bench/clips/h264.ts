import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export interface Size {
  width: number;
  height: number;
}

/** Settings as the report says them. SEI messages (x264's signature) are not counted. */
export const H264_SETTINGS = 'x264, veryfast, zerolatency, 4:2:0, one thread, key frame as often as ours';

/**
 * Codes pictures as one H.264 stream and takes them out again.
 * @param frames RGB of `size`, in their order
 * @param keyEvery a key frame at least every so many frames
 * @returns mean bytes of a frame, and the pictures again
 * @throws Error when ffmpeg fails; it has said why
 */
export async function h264(
  frames: readonly Uint8Array[],
  { width, height }: Size,
  fps: number,
  crf: number,
  keyEvery: number,
): Promise<{ bytes: number; frames: Uint8Array[] }> {
  const folder = await mkdtemp(join(tmpdir(), 'deepcod-h264-'));
  try {
    const file = join(folder, 'stream.h264');
    const raw = ['-f', 'rawvideo', '-pix_fmt', 'rgb24'];
    // 4:2:0 needs even sides.
    const even = 'pad=ceil(iw/2)*2:ceil(ih/2)*2';
    const encoder = spawn(
      'ffmpeg',
      [
        ...['-v', 'error', ...raw, '-s', `${width}x${height}`, '-r', String(fps), '-i', '-', '-vf', even],
        ...['-c:v', 'libx264', '-preset', 'veryfast', '-tune', 'zerolatency', '-crf', String(crf)],
        ...['-g', String(keyEvery), '-pix_fmt', 'yuv420p', '-threads', '1'],
        ...['-bsf:v', 'filter_units=remove_types=6', '-f', 'h264', file],
      ],
      { stdio: ['pipe', 'ignore', 'inherit'] },
    );
    encoder.stdin.end(Buffer.concat(frames));
    const [code] = await once(encoder, 'exit');
    if (code !== 0) throw new Error(`ffmpeg could not encode H.264 (exit code ${code}): it needs libx264`);
    const stream = await readFile(file);
    const { stdout } = await promisify(execFile)(
      'ffmpeg',
      ['-v', 'error', '-threads', '1', '-i', file, '-vf', `format=rgb24,crop=${width}:${height}:0:0`, ...raw, '-'],
      { encoding: 'buffer', maxBuffer: 2 ** 31 },
    );
    const each = width * height * 3;
    if (stdout.length !== frames.length * each) throw new Error('H.264 gave another number of pictures than it got');
    const back = frames.map((_, i) => new Uint8Array(stdout.subarray(i * each, (i + 1) * each)));
    return { bytes: stream.length / frames.length, frames: back };
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
