import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { join } from 'node:path';

/** A camera that the kernel offers as a video device. */
export interface VideoDevice {
  /** /dev/video0 */
  device: string;
  name: string;
}

/**
 * USB cameras, and virtual ones. The codecs, scalers and receivers of a Raspberry Pi are video devices too and no cameras
 * that could be used like this; nor are the second devices of USB cameras, which give metadata.
 * @param sys for tests
 */
export function listVideoDevices(sys = '/sys'): VideoDevice[] {
  const folder = join(sys, 'class/video4linux');
  const devices: VideoDevice[] = [];
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => /^video\d+$/.test(name));
  } catch {
    return [];
  }
  const byNumber = new Intl.Collator('en', { numeric: true });
  for (const name of names.sort(byNumber.compare)) {
    try {
      const place = realpathSync(join(folder, name));
      const index = readFileSync(join(folder, name, 'index'), 'utf8').trim();
      if (index !== '0' || !/\/(usb\d+|virtual)\//.test(place)) continue;
      devices.push({ device: `/dev/${name}`, name: readFileSync(join(folder, name, 'name'), 'utf8').trim() });
    } catch {
      // unplugged while it was looked at
    }
  }
  return devices;
}
