import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { OpenCamera } from '../../../../agent/camera/camera.js';
import { DeepcodError } from '../../../../platform/errors.js';
import { cameraCheck } from '../../../../scripts/commands/doctor/checks/camera.js';
import type { Known } from '../../../../scripts/commands/doctor/known.js';
import { runChecks } from '../../../../scripts/commands/doctor/run.js';
import { type Device, device, examine, folder, of } from './stand-in.js';

const listing =
  'Available cameras\n-----------------\n0 : imx708 [4608x2592 10-bit RGGB] (/base/soc/i2c0mux/i2c@1/imx708@1a)\n';
const inVideo = {
  parts: { gids: [44] },
  files: { '/etc/group': 'video:x:44:\n', '/etc/passwd': 'pi:x:1000:1000::/home/pi:/bin/bash\n' },
};

const camera =
  (pixel: (i: number) => number): OpenCamera =>
  async () => ({
    description: 'stand-in',
    next: async () => ({
      data: Uint8Array.from({ length: 64 * 64 * 3 }, (_, i) => pixel(i)),
      width: 64,
      height: 64,
      sourceWidth: 1536,
      sourceHeight: 864,
      capturedAt: 0,
      captureMs: 0,
    }),
    close: async () => {},
  });
const failing =
  (code: string): OpenCamera =>
  async () => {
    throw new DeepcodError(code, `stand-in: ${code}`);
  };

/** The configuration as it will be when this source is known: the check takes it as it comes. */
async function look(t: Test, made: Device, service?: string) {
  const known = { config: { camera: { source: 'rpicam', fps: 5, seed: 1, loop: true } } } as unknown as Known;
  if (service) known.service = service;
  return runChecks([cameraCheck], device(t, made), known);
}

t.test('a camera of the Raspberry Pi', async (t) => {
  const there = { 'rpicam-hello': listing };
  const with_ = (openCamera: OpenCamera, more: Partial<Device> = {}) =>
    look(t, { ...inVideo, programs: there, ...more, parts: { ...inVideo.parts, openCamera, ...more.parts } });
  t.match(await with_(camera((i) => i % 256)), [{ id: 'camera_ok', what: /1536x864/ }]);
  t.match(await with_(camera(() => 2)), [{ id: 'camera_dark', status: 'warning', symptom: 'blind' }]);
  t.match(await look(t, { ...inVideo }), [
    { id: 'camera_programs_missing', todo: '`sudo apt install rpicam-apps-lite`' },
  ]);
  t.match(await look(t, { ...inVideo, programs: { 'rpicam-hello': { stdout: 'No cameras available!\n', code: 0 } } }), [
    { id: 'camera_none', symptom: 'blind' },
  ]);
  t.match(
    await with_(
      camera((i) => i),
      { parts: { gids: [1000] } },
    ),
    [{ id: 'camera_not_permitted', todo: /usermod -aG video pi/ }],
  );
  t.match(await with_(failing('camera_stalled')), [{ id: 'camera_failed' }]);
});

t.test('a live camera tells its trouble while it goes on trying', async (t) => {
  const telling =
    (state: 'busy' | 'gone' | 'stalled'): OpenCamera =>
    async (options) => ({
      description: 'stand-in',
      next: (signal) => {
        const health = { state, description: 'stand-in', since_s: 0, restarts: 0, message: `it is ${state}` };
        setTimeout(() => options.changed?.(health), 10);
        return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
      },
      close: async () => {},
    });
  const look_ = (state: 'busy' | 'gone' | 'stalled') =>
    look(t, {
      ...inVideo,
      programs: { 'rpicam-hello': listing },
      parts: { ...inVideo.parts, openCamera: telling(state) },
    });
  t.match(await look_('gone'), [{ id: 'camera_none', what: 'it is gone' }]);
  t.match(await look_('busy'), [{ id: 'camera_busy', what: /^it is busy/ }]);
  t.match(await look_('stalled'), [{ id: 'camera_failed', what: 'it is stalled' }]);
});

t.test('busy: who holds it is named', async (t) => {
  const files = {
    ...inVideo.files,
    '/proc/812/comm': 'motion\n',
    '/proc/812/fd/7': '-> /dev/video0',
    '/proc/9/fd/1': '-> /dev/null',
  };
  const parts = { ...inVideo.parts, openCamera: failing('camera_busy') };
  const findings = await look(t, { files, parts, programs: { 'rpicam-hello': listing } });
  t.match(findings, [{ id: 'camera_busy', todo: /motion \(pid 812\)/ }]);
});

t.test('what the unit says of the agent’s user counts, and the agent holding it is right', async (t) => {
  const show = 'systemctl show deepcod-agent.service --property=User,SupplementaryGroups';
  const made = (text: string) => ({
    files: { '/etc/group': 'video:x:44:pi\n' },
    programs: { 'rpicam-hello': listing, [show]: text },
  });
  t.match(await look(t, made('User=deepcod\nSupplementaryGroups=\n'), 'active'), [
    { id: 'camera_not_permitted', todo: /usermod -aG video deepcod/ },
  ]);
  t.match(await look(t, made('User=deepcod\nSupplementaryGroups=video\n'), 'active'), [
    { id: 'camera_in_use', status: 'pass' },
  ]);
});

t.test('simulated, and files that are not there', async (t) => {
  t.match(of((await examine(t, ['camera'])).findings, 'camera'), [{ id: 'camera_made_up' }]);
  const input = join(folder(t), 'none.mp4');
  const { findings } = await examine(t, ['camera'], { config: { camera: { source: 'replay', input } } });
  t.match(of(findings, 'camera'), [{ id: 'camera_input', status: 'failure', symptom: 'blind' }]);
});
