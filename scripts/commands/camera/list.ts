import { Trouble } from '../../../agent/camera/live/trouble.js';
import { cameraName, type ListedCamera, type SensorMode } from '../../../agent/camera/rpicam/list.js';
import { absent } from '../../../agent/camera/rpicam/trouble.js';
import { listRpicam } from '../../../agent/camera/rpicam.js';
import { listVideoDevices, type VideoDevice } from '../../../agent/camera/v4l2/devices.js';
import type { VideoFormat } from '../../../agent/camera/v4l2/formats.js';
import { listFormats } from '../../../agent/camera/v4l2.js';
import { DeepcodError, ExitCode } from '../../../platform/errors.js';

interface Listing {
  /** At the CSI ports; the message says why there is none. */
  rpicam: { cameras: ListedCamera[]; message?: string };
  /** USB cameras and virtual ones. */
  v4l2: (VideoDevice & { formats: VideoFormat[]; message?: string })[];
}

/** Prints the cameras of this device. @returns the exit code */
export async function list(json: boolean): Promise<number> {
  const listing: Listing = { rpicam: await csi(), v4l2: await Promise.all(listVideoDevices().map(usb)) };
  process.stdout.write(json ? `${JSON.stringify(listing, null, 2)}\n` : textOf(listing));
  return listing.rpicam.cameras.length + listing.v4l2.length > 0 ? ExitCode.ok : ExitCode.camera;
}

async function csi(): Promise<Listing['rpicam']> {
  try {
    const cameras = await listRpicam();
    return cameras.length > 0 ? { cameras } : { cameras, message: absent().message };
  } catch (error) {
    return { cameras: [], message: reason(error) };
  }
}

async function usb(device: VideoDevice): Promise<Listing['v4l2'][number]> {
  try {
    return { ...device, formats: await listFormats(device.device) };
  } catch (error) {
    return { ...device, formats: [], message: reason(error) };
  }
}

function reason(error: unknown): string {
  if (error instanceof DeepcodError) return error.hint ? `${error.message}: ${error.hint}` : error.message;
  if (error instanceof Trouble) return error.message;
  throw error;
}

function textOf({ rpicam, v4l2 }: Listing): string {
  const lines = ['At the CSI ports (camera.source: rpicam)'];
  for (const camera of rpicam.cameras) {
    lines.push(`  camera.index: ${camera.index}   ${cameraName(camera.model)}, ${camera.width}x${camera.height}`);
    for (const mode of camera.modes) lines.push(`    ${modeLine(camera, mode)}`);
  }
  if (rpicam.message) lines.push(`  ${rpicam.message}`);
  lines.push('', 'USB cameras (camera.source: v4l2)');
  for (const { device, name, formats, message } of v4l2) {
    lines.push(`  camera.device: ${device}   ${name}`);
    for (const { format, sizes } of formats) {
      lines.push(`    ${format.padEnd(8)} ${sizes.map(({ width, height }) => `${width}x${height}`).join(' ')}`);
    }
    if (message) lines.push(`    ${message}`);
  }
  if (v4l2.length === 0) lines.push('  none');
  return `${lines.join('\n')}\n`;
}

function modeLine(camera: ListedCamera, { width, height, bits, fps, crop }: SensorMode): string {
  const size = `${width}x${height}`.padEnd(10);
  if (!crop) return `${size} ${bits} bits   in use by another program: its rates are not known`;
  const share = Math.round((100 * crop.width * crop.height) / (camera.width * camera.height));
  const view = share >= 97 ? 'whole view' : `${share}% of the view`;
  return `${size} ${bits} bits   up to ${fps.toFixed(1).padStart(5)} per second   ${view}`;
}
