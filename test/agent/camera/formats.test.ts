import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { listVideoDevices } from '../../../agent/camera/v4l2/devices.js';
import { chooseCapture, parseFormats } from '../../../agent/camera/v4l2/formats.js';
import { packageRoot } from '../../../platform/root.js';
import { fitPicture } from '../../../protocol/letterbox.js';

const formats = (name: string) =>
  parseFormats(readFileSync(join(packageRoot(), 'test/fixtures/cameras', `${name}.txt`), 'utf8'));
const detector = { width: 416, height: 416, letterbox: { align: 'center', pad: 114 } } as const;
const wanted = (width: number, height: number) => fitPicture(detector, width, height);

t.test('formats of USB cameras, and what is asked of them', async (t) => {
  const c270 = formats('v4l2-c270');
  t.same(
    c270.map(({ format, compressed, sizes }) => [format, compressed, sizes.length]),
    [
      ['yuyv422', false, 19],
      ['mjpeg', true, 19],
    ],
  );
  t.same(chooseCapture(c270, wanted, 5), { format: 'yuyv422', width: 640, height: 480 });
  t.same(chooseCapture(c270, wanted, 60), { format: 'mjpeg', width: 640, height: 480 }, 'more than USB carries raw');
  t.same(chooseCapture(c270, wanted, 5, '1280x720'), { format: 'yuyv422', width: 1280, height: 720 });
  t.equal(chooseCapture(c270, wanted, 5, '1280x721'), undefined);
  const c920 = formats('v4l2-c920');
  t.same(
    chooseCapture(c920, wanted, 5),
    { format: 'yuyv422', width: 432, height: 240 },
    'the shape of its largest that USB carries',
  );
  const any = formats('v4l2-stepwise');
  t.same(
    any.map(({ format }) => format),
    ['yuv420p', 'mjpeg'],
  );
  t.same(any[0].sizes.at(-1), { width: 2592, height: 1944 });
  t.same(chooseCapture(any, wanted, 5), { format: 'yuv420p', width: 640, height: 480 });
  t.same(parseFormats('/dev/video9: No such file or directory'), []);
  t.equal(chooseCapture([], wanted, 5), undefined);
});

t.test('which video devices are cameras', async (t) => {
  const sys = t.testdir();
  const add = (name: string, place: string, index: number, label: string) => {
    const folder = join(sys, 'devices', place, 'video4linux', name);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'index'), `${index}\n`);
    writeFileSync(join(folder, 'name'), `${label}\n`);
    symlinkSync(folder, join(sys, 'class/video4linux', name));
  };
  t.same(listVideoDevices(sys), [], 'no such folder');
  mkdirSync(join(sys, 'class/video4linux'), { recursive: true });
  const usb = 'platform/soc/1f00200000.usb/xhci-hcd.0/usb1/1-1/1-1:1.0';
  add('video10', 'platform/bcm2835-codec', 0, 'bcm2835-codec-decode');
  add('video2', usb, 0, 'C270 HD WEBCAM: C270 HD WEBCAM');
  add('video3', usb, 1, 'C270 HD WEBCAM: C270 HD WEBCAM');
  add('video40', 'virtual', 0, 'Dummy video device (0x0000)');
  symlinkSync('/nowhere', join(sys, 'class/video4linux/video7'));
  t.same(listVideoDevices(sys), [
    { device: '/dev/video2', name: 'C270 HD WEBCAM: C270 HD WEBCAM' },
    { device: '/dev/video40', name: 'Dummy video device (0x0000)' },
  ]);
});
