import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { brightnessOf } from '../../../scripts/commands/camera/brightness.js';
import { run } from '../../platform/process.js';
import { standIn } from './rig.js';

const deepcod = (env: NodeJS.ProcessEnv, ...args: string[]) =>
  run('scripts/deepcod.js', ['camera', ...args], env as Record<string, string>);

t.test('list', async (t) => {
  const { env, behave } = standIn(t, { list: 'two-pi5' });
  const text = await deepcod(env, 'list');
  t.equal(text.code, 0);
  t.match(text.output, 'camera.index: 0   Camera Module 3 (imx708_wide), 4608x2592\n');
  t.match(text.output, '    1536x864   10 bits   up to 120.1 per second   44% of the view\n');
  t.match(text.output, '    2304x1296  10 bits   up to  56.0 per second   whole view\n');
  const { rpicam } = JSON.parse((await deepcod(env, 'list', '--json')).output);
  t.equal(rpicam.cameras[1].modes.length, 8);
  behave({ list: 'in-use-ov5647' });
  t.match((await deepcod(env, 'list')).output, /640x480 {4}10 bits {3}in use by another program/);
});

t.test('shot', async (t) => {
  const { env, behave, bin } = standIn(t, {});
  const file = join(bin, 'shot.jpg');
  const taken = await deepcod(env, 'shot', '-o', file, '--width', '320');
  t.equal(taken.code, 0, taken.output);
  t.match(taken.output, `${file}: 320x180, taken at 2304x1296; brightness 1`);
  t.match(await sharp(file).metadata(), { width: 320, height: 180, format: 'jpeg' });
  behave({ says: 'ERROR: *** failed to acquire camera /base/x ***', exit: 255 });
  const busy = await deepcod(env, 'shot', '-o', file);
  t.match(busy, { code: 4, output: /camera 0 is in use by another program/ });
  for (const args of [['shot'], ['shoot'], ['shot', '-o', file, '--rotation', '90']]) {
    t.equal((await deepcod(env, ...args)).code, 2, args.join(' '));
  }
});

t.test('what brightness says', async (t) => {
  t.match(brightnessOf(new Uint8Array(300).fill(3)), { mean: 3, hint: /almost black: is the lens cap on/ });
  t.match(brightnessOf(new Uint8Array(300).fill(250)), { hint: /almost white/ });
  t.match(brightnessOf(new Uint8Array(300).fill(100)), { hint: /one even colour/ });
  t.same(brightnessOf(Uint8Array.from({ length: 300 }, (_, i) => i % 200)).hint, undefined);
});
