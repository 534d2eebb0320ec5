/** One way a video device gives pictures. */
export interface VideoFormat {
  /** ffmpeg's name: yuyv422, mjpeg. */
  format: string;
  compressed: boolean;
  /** Each once, in the device's order. */
  sizes: { width: number; height: number }[];
}

/** Sizes that are asked of a device which takes any between two. */
const COMMON = [
  [640, 480],
  [1280, 720],
  [1920, 1080],
] as const;

/**
 * Reads what `ffmpeg -f v4l2 -list_formats all` prints. Formats that ffmpeg does not know are left out.
 *
 *     [video4linux2,v4l2 @ 0x5581] Raw       :     yuyv422 :           YUYV 4:2:2 : 640x480 320x240
 *     [video4linux2,v4l2 @ 0x5581] Compressed:       mjpeg :          Motion-JPEG : {32-2592, 2}x{32-1944, 2}
 */
export function parseFormats(text: string): VideoFormat[] {
  const formats: VideoFormat[] = [];
  for (const line of text.split('\n')) {
    const found = /\b(Raw|Compressed) *: +(\S+) : (.*)$/.exec(line);
    if (!found || found[2] === 'Unsupported') continue;
    const [, kind, format, rest] = found;
    const said = rest.slice(rest.lastIndexOf(' : ') + 1);
    const sizes = [...said.matchAll(/(\d+)x(\d+)/g)].map(([, width, height]) => ({
      width: Number(width),
      height: Number(height),
    }));
    const range = /\{(\d+)-(\d+), *\d+\}x\{(\d+)-(\d+), *\d+\}/.exec(said)?.slice(1).map(Number);
    if (range) {
      const [w0, w1, h0, h1] = range;
      const fitting = COMMON.filter(([w, h]) => w >= w0 && w <= w1 && h >= h0 && h <= h1);
      sizes.push(...fitting.map(([width, height]) => ({ width, height })), { width: w1, height: h1 });
    }
    const once = new Map(sizes.map((size) => [`${size.width}x${size.height}`, size]));
    if (once.size > 0) formats.push({ format, compressed: kind === 'Compressed', sizes: [...once.values()] });
  }
  return formats;
}

/** What a device is asked for. */
export interface Capture {
  format: string;
  width: number;
  height: number;
}

/** Raw pictures are asked for up to this many bytes a second: USB 2 carries about 35 MB, often for two cameras. */
const RAW_MOST = 20e6;
/** Without loss first, then what is least work. */
const PREFERRED = ['yuyv422', 'uyvy422', 'nv12', 'yuv420p', 'mjpeg', 'h264'];

/**
 * What to ask of a device so that it shows its whole view: the size with the shape of its largest one that is the least of
 * those no smaller than what is wanted. Raw where USB carries it, else compressed.
 * @param wanted what is wanted of a picture of this size
 * @param size that was asked for, `640x480`; the answer is undefined when the device does not have it
 */
export function chooseCapture(
  formats: readonly VideoFormat[],
  wanted: (width: number, height: number) => { width: number; height: number },
  fps: number,
  size?: string,
): Capture | undefined {
  const offered = formats
    .filter(({ format }) => PREFERRED.includes(format))
    .flatMap(({ format, compressed, sizes }) => sizes.map((each) => ({ format, compressed, ...each })));
  const area = (capture: Capture) => capture.width * capture.height;
  const carried = offered.filter((capture) => capture.compressed || area(capture) * 2 * fps <= RAW_MOST);
  const all = carried.length > 0 ? carried : offered;
  if (all.length === 0) return undefined;
  const largest = all.reduce((best, capture) => (area(capture) > area(best) ? capture : best));
  const shape = largest.width / largest.height;
  const asked = all.filter(({ width, height }) =>
    size === undefined ? Math.abs(width / height / shape - 1) < 0.02 : `${width}x${height}` === size,
  );
  const enough = asked.filter(({ width, height }) => {
    const fit = wanted(width, height);
    return width >= fit.width && height >= fit.height;
  });
  const least = (a: Capture, b: Capture) => area(a) - area(b);
  const candidates = enough.length > 0 ? enough.sort(least) : asked.sort((a, b) => least(b, a));
  const [first] = candidates;
  if (!first) return undefined;
  const same = candidates.filter((capture) => area(capture) === area(first));
  const { format, width, height } = same.sort((a, b) => PREFERRED.indexOf(a.format) - PREFERRED.indexOf(b.format))[0];
  return { format, width, height };
}
