import sharp from 'sharp';
import t from 'tap';
import { plainJpeg } from '../../edge/web/plain-jpeg.js';

const noise = Buffer.from(Array.from({ length: 48 * 32 * 3 }, (_, i) => (i * 7919) % 256));
const picture = () => sharp(noise, { raw: { width: 48, height: 32, channels: 3 } });
const pixelsOf = (file: Uint8Array) => sharp(file).raw().toBuffer();
const segment = (marker: number, text: string): Buffer => {
  const data = Buffer.from(text);
  return Buffer.concat([Buffer.from([0xff, marker, (data.length + 2) >> 8, (data.length + 2) & 255]), data]);
};

t.test('what lies beside the picture goes, the picture stays to the last bit', async (t) => {
  const files = {
    baseline: await picture().jpeg().toBuffer(),
    progressive: await picture().jpeg({ progressive: true, quality: 95 }).toBuffer(),
    grey: await picture().greyscale().jpeg().toBuffer(),
    'with restarts': await picture().jpeg({ mozjpeg: true }).toBuffer(),
  };
  for (const [name, file] of Object.entries(files)) {
    const aside = [segment(0xe1, 'Exif\0\0 a place'), segment(0xfe, 'a word'), segment(0xed, 'a name')];
    const more = Buffer.concat([
      file.subarray(0, 2),
      ...aside,
      file.subarray(2),
      Buffer.from('<script>behind</script>'),
    ]);
    const plain = plainJpeg(more);
    if (!plain) return t.fail(name);
    for (const word of ['place', 'a word', 'a name', 'script', 'JFIF'])
      t.notOk(Buffer.from(plain).includes(word), word);
    t.same(await pixelsOf(plain), await pixelsOf(file), name);
    t.ok(plain.length <= file.length);
  }
});

t.test('a rotation that a browser would follow goes too', async (t) => {
  const plain = plainJpeg(await picture().withMetadata({ orientation: 6 }).jpeg().toBuffer());
  t.notOk((await sharp(plain).metadata()).orientation);
  t.match(await sharp(plain).metadata(), { width: 48, height: 32 });
});

t.test('how colours are coded stays', async (t) => {
  const file = await picture().toColourspace('cmyk').jpeg().toBuffer();
  t.ok(file.includes('Adobe'));
  t.same(await pixelsOf(plainJpeg(file) as Uint8Array), await pixelsOf(file));
});

t.test('what is no whole file is none, whatever it is', async (t) => {
  const file = await picture().jpeg().toBuffer();
  const cut = Array.from(file, (_, end) => file.subarray(0, end));
  t.same(cut.filter(plainJpeg), [], 'cut anywhere');
  t.equal(plainJpeg(await picture().png().toBuffer()), undefined);
  t.equal(
    plainJpeg(Buffer.from([0xff, 0xd8, 0xff, 0xdb, 0, 1, 0xff, 0xd9])),
    undefined,
    'a part shorter than its length',
  );
  t.equal(plainJpeg(Buffer.from([0xff, 0xd8, 1, 2, 0xff, 0xd9])), undefined, 'no marker');
});
