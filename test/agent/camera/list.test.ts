import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { layouts, rpicamArguments } from '../../../agent/camera/rpicam/arguments.js';
import { cameraName, parseCameras } from '../../../agent/camera/rpicam/list.js';
import { chooseMode, modeArgument, namedMode } from '../../../agent/camera/rpicam/mode.js';
import { packageRoot } from '../../../platform/root.js';
import { fitPicture } from '../../../protocol/letterbox.js';

const listing = (name: string) =>
  parseCameras(readFileSync(join(packageRoot(), 'test/fixtures/cameras', `${name}.txt`), 'utf8'));
const detector = { width: 416, height: 416, letterbox: { align: 'center', pad: 114 } } as const;
const wanted = ({ width, height }: { width: number; height: number }) => fitPicture(detector, width, height);

t.test('recorded listings: cameras, modes, and the mode that shows the whole view', async (t) => {
  for (const [name, cameras] of [
    ['imx219-v2', [['imx219', 8, '1640x1232 10 whole']]],
    ['imx708-v3-pi5', [['imx708', 3, '2304x1296 10 whole']]],
    ['imx708-v3-wide', [['imx708_wide', 3, '2304x1296 10 whole']]],
    ['imx708-v3-noir', [['imx708_noir', 3, '2304x1296 10 whole']]],
    ['ov5647-v1', [['ov5647', 4, '640x480 10 whole']]],
    ['imx477-hq', [['imx477', 4, '2028x1520 12 whole']]],
    ['imx296-gs', [['imx296', 1, '1456x1088 10 whole']]],
    ['imx296-gs-mono', [['imx296', 1, '1456x1088 10 whole']]],
    ['imx500-ai-pi5', [['imx500', 2, '2028x1520 10 whole']]],
    [
      'two-pi5',
      [
        ['imx708_wide', 3, '2304x1296 10 whole'],
        ['imx219', 8, '1640x1232 10 whole'],
      ],
    ],
    ['none', []],
    ['in-use-ov5647', [['ov5647', 4, 'none']]],
    ['before-crops-imx477', [['imx477', 0, 'none']]],
  ] as const) {
    const found = listing(name).map((camera, at) => {
      t.equal(camera.index, at);
      t.match(camera.id, /^\/base\/.*@/);
      t.ok(camera.width > 1000 && camera.height > 1000);
      const mode = chooseMode(camera, wanted, 10);
      const crop = mode?.crop;
      const view = crop && crop.width * crop.height > 0.9 * camera.width * camera.height ? 'whole' : 'cut';
      return [camera.model, camera.modes.length, mode ? `${mode.width}x${mode.height} ${mode.bits} ${view}` : 'none'];
    });
    t.same(found, cameras, name);
  }
  t.same(listing('two-pi5')[1].modes[0], {
    ...{ width: 640, height: 480, bits: 10, packed: true, fps: 206.65 },
    crop: { x: 1000, y: 752, width: 1280, height: 960 },
  });
  t.same(parseCameras('what is\nthis 640x480 [1 fps'), []);
});

t.test('fast pictures, large pictures, and modes asked for', async (t) => {
  const [v3] = listing('imx708-v3-pi5');
  t.match(chooseMode(v3, wanted, 50), { width: 2304 });
  t.match(chooseMode(v3, wanted, 100), { width: 2304 }, 'the whole view comes before the rate');
  t.match(
    chooseMode(v3, () => ({ width: 3000, height: 1700 }), 10),
    { width: 4608 },
  );
  t.match(
    chooseMode(v3, () => ({ width: 3000, height: 1700 }), 30),
    { width: 2304 },
    'the rate before the size',
  );
  const [v2] = listing('imx219-v2');
  t.match(namedMode(v2, 1640, 1232, 30), { bits: 10, fps: 41.85 });
  t.match(namedMode(v2, 1640, 1232, 60), { bits: 8, packed: false, fps: 83.7 });
  t.equal(namedMode(v2, 1640, 1230, 30), undefined);
  const mode = namedMode(v2, 1640, 1232, 60);
  t.equal(mode && modeArgument(mode), '1640:1232:8:U');
});

t.test('turned and mirrored', async (t) => {
  const size = { width: 96, height: 54 };
  const flips = (options: object) =>
    rpicamArguments({ source: 'rpicam', ...options }, undefined, size, 10).filter((each) => /flip/.test(each));
  t.same(flips({}), []);
  t.same(flips({ rotation: 180 }), ['--hflip', '--vflip']);
  t.same(flips({ rotation: 180, hflip: true }), ['--vflip']);
  t.same(flips({ vflip: true }), ['--vflip']);
  t.same(
    layouts({ width: 416, height: 234 }).map(({ stride }) => stride),
    [448, 512, 416],
  );
});

t.test('names', async (t) => {
  t.equal(cameraName('imx708_wide_noir'), 'Camera Module 3 (imx708_wide_noir)');
  t.equal(cameraName('arducam_64mp'), 'arducam_64mp');
});
