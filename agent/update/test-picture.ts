/**
 * A picture with something of everything: slopes of each colour, edges, and noise; the same each time.
 * @returns RGB, width * height * 3 bytes
 */
export function testPicture({ width, height }: { width: number; height: number }): Uint8Array {
  const picture = new Uint8Array(width * height * 3);
  let noise = 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      noise = (Math.imul(noise, 1664525) + 1013904223) >>> 0;
      const edge = ((x >> 4) + (y >> 4)) % 2 === 0 ? 40 : 0;
      const at = (y * width + x) * 3;
      picture[at] = (x * 200) / width + edge;
      picture[at + 1] = (y * 200) / height + edge;
      picture[at + 2] = 100 + edge + (noise >>> 27);
    }
  }
  return picture;
}
