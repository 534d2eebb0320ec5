import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { v4l2Trouble } from '../../../agent/camera/v4l2/trouble.js';
import { open, standIn, take, untilState } from './rig.js';

const setUp = (t: Parameters<typeof standIn>[0], behaviour = {}) => {
  const made = standIn(t, behaviour, ['ffmpeg']);
  const device = join(made.bin, '../video0');
  writeFileSync(device, '');
  return { ...made, device };
};

t.test('pictures, stalled, unplugged, and plugged in again', async (t) => {
  const { behave, starts, device } = setUp(t);
  const camera = await open(t, { source: 'v4l2', device, fps: 10, vflip: true });
  const picture = await take(camera);
  t.match(picture, { width: 96, height: 72, sourceWidth: 160, sourceHeight: 120, yuv: undefined });
  t.equal(picture.data.length, 96 * 72 * 3);
  t.match(camera.health?.description, `USB camera ${device}, 160x120 yuyv422, scaled to 96x72`);
  const args = starts()[0].args.join(' ');
  t.match(args, `-f v4l2 -input_format yuyv422 -video_size 160x120 -framerate 10 -i ${device} `);
  t.match(args, ',vflip,scale=96:72');

  behave({ stallAfter: 0 });
  t.ok((await untilState(camera, 'stalled')) < 2000);
  t.match(camera.health?.message, /is there and sends no pictures: plug it in again/);
  rmSync(device);
  await untilState(camera, 'gone');
  t.match(camera.health?.message, /video0 is not there: plug the camera in; deepcod camera list/);
  behave({});
  writeFileSync(device, '');
  await untilState(camera, 'running');

  const start = performance.now();
  behave({ says: '[video4linux2,v4l2 @ 0x5] ioctl(VIDIOC_DQBUF): No such device\n/dev/video0: No such device' });
  rmSync(device);
  await untilState(camera, 'gone');
  t.ok(performance.now() - start < 2000);
});

t.test('what ffmpeg says of devices', async (t) => {
  const at = (errors: string, device = '/dev/null') => v4l2Trouble(device, { errors, code: 1, signal: null });
  const cannot = '[video4linux2,v4l2 @ 0x5] Cannot open video device /dev/video0:';
  t.match(at(`${cannot} Device or resource busy`), {
    state: 'busy',
    message: /^\/dev\/null is in use by .+: stop that, a camera serves one program/,
  });
  t.match(at(`${cannot} Permission denied`), { state: 'failed', message: /may not open .* group video/ });
  t.match(at(`${cannot} No such file or directory`), { state: 'gone' });
  t.match(at('Not a video capture device.'), { state: 'failed', message: /is no camera/ });
  t.match(at('ioctl(VIDIOC_S_FMT): Invalid argument'), { state: 'failed', message: /ffmpeg says: ioctl/ });
  t.match(at('', '/nowhere'), { state: 'gone' });
});

t.test('sizes it does not have, and no ffmpeg', async (t) => {
  const { device } = setUp(t);
  const wrong = open(t, { source: 'v4l2', device, size: '100x100' });
  await t.rejects(wrong, { code: 'camera_size', exitCode: 4, hint: /It has 640x480, .* as yuyv422, mjpeg/ });
  mkdirSync(join(device, '../empty'));
  process.env.PATH = join(device, '../empty');
  await t.rejects(open(t, { source: 'v4l2', device }), { code: 'camera_program_missing', exitCode: 4 });
});

t.test('a link to the device does as well', async (t) => {
  const { device } = setUp(t);
  const link = join(device, '../by-id');
  symlinkSync(device, link);
  t.ok(await take(await open(t, { source: 'v4l2', device: link, fps: 10 })));
});
