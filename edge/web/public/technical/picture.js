import { t } from '../t.js';

/** Fetches a camera's picture with its boxes, and draws both on a canvas. */

/** Colours that differ for most kinds of colour blindness; the label's text and the line's dashes tell classes apart too. */
const CLASSES = [
  ['#ff5a36', '#1a0500'],
  ['#35c46f', '#00190a'],
  ['#4aa3ff', '#00121f'],
  ['#ffc53d', '#1f1500'],
  ['#c58bff', '#14001f'],
  ['#3fd6d0', '#001918'],
  ['#ff8fc7', '#1f0012'],
  ['#d7e25a', '#181a00'],
];
/** A picture that is narrower has small words, px. */
const SMALL = 420;
const DASHES = [[], [7, 3], [2, 3]];

/**
 * @param known tag of what was fetched last
 * @returns {Promise<{shown: object, image: ImageBitmap | null, tag: string} | 'same' | null>} null: the edge has nothing to show
 */
export async function fetchShown(name, { known, signal } = {}) {
  const headers = known ? { 'if-none-match': known } : {};
  const response = await fetch(`/api/devices/${encodeURIComponent(name)}/shown`, { signal, headers });
  if (response.status === 304) return 'same';
  if (!response.ok) return null;
  const tag = response.headers.get('etag') ?? '';
  const body = await response.arrayBuffer();
  const length = new DataView(body).getUint32(0, true);
  const shown = JSON.parse(new TextDecoder().decode(new Uint8Array(body, 4, length)));
  const bytes = new Uint8Array(body, 4 + length);
  if (!shown.picture || bytes.length === 0) return { shown, image: null, tag };
  const image = await createImageBitmap(new Blob([bytes], { type: shown.picture.type }));
  return { shown, image, tag };
}

/**
 * Draws at the canvas's own size on the screen, as large as the picture's shape allows.
 * @param note said at the lower edge: that the picture is of another time, or that there is none
 */
export function draw(canvas, { shown, image }, note = '') {
  const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
  const scale = Math.min(canvas.clientWidth / shown.width, canvas.clientHeight / shown.height);
  if (!(scale > 0)) return;
  const [width, height] = [shown.width * scale, shown.height * scale];
  const [pixelsWide, pixelsHigh] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== pixelsWide || canvas.height !== pixelsHigh)
    [canvas.width, canvas.height] = [pixelsWide, pixelsHigh];
  const c = canvas.getContext('2d');
  c.setTransform(ratio, 0, 0, ratio, 0, 0);
  c.imageSmoothingQuality = 'high';
  const style = getComputedStyle(canvas);
  if (image) {
    c.drawImage(image, 0, 0, width, height);
  } else {
    c.fillStyle = style.getPropertyValue('--empty');
    c.fillRect(0, 0, width, height);
  }
  const boxes = shown.detections.toSorted((a, b) => b.box[2] * b.box[3] - a.box[2] * a.box[3]);
  const font = { family: style.fontFamily, px: Number.parseFloat(style.fontSize) };
  for (const box of boxes) outline(c, box, scale, Math.max(1.5, font.px * 0.16));
  const labels = [];
  for (const box of boxes.reverse()) label(c, box, scale, [width, height], font, labels);
  if (note !== '') caption(c, note, [width, height], font);
}

/** What to say under a picture: that there is none, or that it is an earlier one. */
export const pictureNote = (image) => (image ? '' : t('picture.none'));

function caption(c, words, [width, height], font) {
  const em = font.px * 1.08;
  c.font = `${em}px ${font.family}`;
  const wide = Math.min(width, c.measureText(words).width + 1.2 * em);
  c.fillStyle = 'rgb(0 0 0 / 0.72)';
  c.fillRect((width - wide) / 2, height - 2 * em, wide, 1.7 * em);
  c.fillStyle = '#fff';
  c.textAlign = 'center';
  c.textBaseline = 'middle';
  c.fillText(words, width / 2, height - 1.12 * em, width - 1.2 * em);
}

/** @param wide of the line, px; a dark one beneath it is wider */
function outline(c, { class: kind, box: [x, y, w, h], masked }, scale, wide) {
  const [colour] = CLASSES[kind % CLASSES.length];
  c.globalAlpha = masked ? 0.35 : 1;
  c.lineJoin = 'round';
  c.setLineDash([]);
  c.strokeStyle = 'rgb(0 0 0 / 0.55)';
  c.lineWidth = 2 * wide;
  c.strokeRect(x * scale, y * scale, w * scale, h * scale);
  c.setLineDash(DASHES[kind % DASHES.length]);
  c.strokeStyle = colour;
  c.lineWidth = wide;
  c.strokeRect(x * scale, y * scale, w * scale, h * scale);
  c.setLineDash([]);
  c.globalAlpha = 1;
}

/** The small boxes' labels first; one that would cover another goes below or into its box, or is left to the caption. */
function label(c, { class: kind, label: name, score, box: [x, y, , h], masked }, scale, [width, height], font, taken) {
  if (masked) return;
  const [colour, ink] = CLASSES[kind % CLASSES.length];
  const small = width < SMALL;
  const em = small ? font.px * 0.83 : font.px;
  const high = em * 1.4;
  c.font = `600 ${em}px ${font.family}`;
  c.textAlign = 'left';
  c.textBaseline = 'middle';
  for (const words of small ? [name] : [`${name} ${Math.round(score * 100)}%`, name]) {
    const wide = c.measureText(words).width + em * 0.6;
    const left = Math.max(0, Math.min(width - wide, x * scale - 1));
    for (const top of [y * scale - high - 1, (y + h) * scale + 1, y * scale + 1]) {
      if (top < 0 || top + high > height) continue;
      const area = [left, top, left + wide, top + high];
      if (taken.some((o) => area[0] < o[2] && o[0] < area[2] && area[1] < o[3] && o[1] < area[3])) continue;
      taken.push(area);
      c.fillStyle = colour;
      c.fillRect(left, top, wide, high);
      c.fillStyle = ink;
      c.fillText(words, left + em * 0.3, top + high / 2 + 0.5);
      return;
    }
  }
}
