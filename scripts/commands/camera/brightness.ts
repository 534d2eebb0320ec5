/** Levels of 255: what no daylight picture is. */
const BLACK = 12;
const WHITE = 243;
const EVEN = 3;

/** How bright a picture is, and what that suggests, if it is odd. @param rgb bytes of RGB */
export function brightnessOf(rgb: Uint8Array): { mean: number; hint?: string } {
  let sum = 0;
  let squares = 0;
  const pixels = rgb.length / 3;
  for (let i = 0; i < rgb.length; i += 3) {
    const luma = 0.299 * rgb[i] + 0.587 * rgb[i + 1] + 0.114 * rgb[i + 2];
    sum += luma;
    squares += luma * luma;
  }
  const mean = sum / pixels;
  const deviation = Math.sqrt(Math.max(0, squares / pixels - mean * mean));
  const rounded = Math.round(mean);
  if (mean < BLACK) return { mean: rounded, hint: 'almost black: is the lens cap on, is there light?' };
  if (mean > WHITE) return { mean: rounded, hint: 'almost white: does the sun or a lamp shine into the lens?' };
  if (deviation < EVEN) return { mean: rounded, hint: 'one even colour: is something right in front of the lens?' };
  return { mean: rounded };
}
