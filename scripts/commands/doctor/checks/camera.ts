import { setTimeout as pause } from 'node:timers/promises';
import { DeepcodError } from '../../../../platform/errors.js';
import { holders, listCameras, mayUseVideo } from '../cameras.js';
import { defineCheck } from '../check.js';

/** A camera that gives no picture for so long gives none, ms. */
const PICTURE_MS = 8000;
/** Sources that need no hardware. */
const MADE_UP = ['simulated', 'replay'];
/** The side of the test picture: what is seen does not matter. */
const SIDE = 64;
/** A picture whose brightest and darkest values differ by less shows nothing. */
const FLAT = 8;
const DARK = 12;

export const cameraCheck = defineCheck({
  name: 'camera',
  title: 'camera',
  group: 'camera',
  timeoutMs: 14_000,
  needs: ['config'],
  after: ['service'],
  findings: {
    camera_ok: { status: 'pass', means: 'The camera gives pictures.' },
    camera_in_use: {
      status: 'pass',
      means: 'The camera is there, and the running agent holds it; what it sees is in the agent’s findings.',
    },
    camera_made_up: {
      status: 'pass',
      means: 'The pictures do not come from a camera: they are simulated, or read from files.',
    },
    camera_none: {
      status: 'failure',
      symptom: 'blind',
      means: 'The system finds no camera.',
      todo: 'Switch the device off, seat the ribbon cable anew at both ends (contacts to the right side), switch it on; `rpicam-hello --list-cameras`. Older or third-party modules need a line dtoverlay=... in /boot/firmware/config.txt.',
    },
    camera_programs_missing: {
      status: 'failure',
      symptom: 'blind',
      means: 'The programs that read the camera are not installed.',
      todo: '`sudo apt install rpicam-apps-lite`',
    },
    camera_not_permitted: {
      status: 'failure',
      symptom: 'blind',
      means: 'The agent’s user is not in group video: it may not open the camera.',
      todo: '`sudo usermod -aG video {user} && sudo systemctl restart deepcod-agent`',
    },
    camera_busy: {
      status: 'failure',
      symptom: 'blind',
      means: 'Another program holds the camera; only one can.',
      todo: 'End it: {holder}. `sudo fuser -v /dev/video* /dev/media*` names it.',
    },
    camera_failed: {
      status: 'failure',
      symptom: 'blind',
      means: 'The camera is there, but gives no picture.',
      todo: '`deepcod camera shot`, `sudo dmesg | tail -30`; seat the ribbon cable anew, try another camera.',
    },
    camera_input: {
      status: 'failure',
      symptom: 'blind',
      means: 'What the configuration names as the camera cannot be opened.',
      todo: 'Check camera.source and camera.input in the configuration; `deepcod camera list`.',
    },
    camera_dark: {
      status: 'warning',
      symptom: 'blind',
      means: 'The picture is black, or of one colour: the lens is covered, or it is night.',
      todo: 'Take the cap off, clean the lens, look at a picture: `deepcod camera shot`.',
    },
  },
  async run({ env, known, tell, signal }) {
    const { camera } = known.config as NonNullable<typeof known.config>;
    const values = { source: camera.source };
    const isRaspberry = camera.source === 'rpicam';
    if (isRaspberry) {
      const there = await listCameras(env);
      if (there === 'missing') return tell('camera_programs_missing', 'rpicam-hello is not installed', values);
      if (there.length === 0) return tell('camera_none', 'rpicam-hello lists no camera', values);
    }
    if (!MADE_UP.includes(camera.source)) {
      const { user, may } = await mayUseVideo(env);
      if (!may) return tell('camera_not_permitted', `${user} is not in group video`, { ...values, user });
      if (known.service === 'active') return tell('camera_in_use', 'held by the running agent', values);
    }
    const open = env.openCamera(camera, () => ({ width: SIDE, height: SIDE }));
    try {
      const source = await Promise.race([open, pause(PICTURE_MS, undefined, { signal })]);
      const picture = source && (await Promise.race([source.next(signal), pause(PICTURE_MS, undefined, { signal })]));
      if (!source || !picture) {
        return tell(
          'camera_failed',
          source && picture === null ? 'its input is empty' : `no picture within ${PICTURE_MS / 1000} s`,
          values,
        );
      }
      let [least, most] = [255, 0];
      for (const value of picture.data) {
        if (value < least) least = value;
        if (value > most) most = value;
      }
      const what = `${source.description}: a picture of ${picture.sourceWidth}x${picture.sourceHeight}`;
      if (most - least < FLAT || most < DARK) return tell('camera_dark', `${what}, values ${least} to ${most}`, values);
      tell(MADE_UP.includes(camera.source) ? 'camera_made_up' : 'camera_ok', what, values);
    } catch (error) {
      if (!(error instanceof DeepcodError)) throw error;
      const detail = { ...values, code: error.code };
      if (/busy/.test(error.code)) {
        const holder = (await holders(env)).join(', ') || 'not known';
        return tell('camera_busy', `${error.message}; held by ${holder}`, { ...detail, holder });
      }
      if (isRaspberry && /(missing|absent|none|unplugged|not_found)$/.test(error.code))
        return tell('camera_none', error.message, detail);
      tell(
        error.exitCode === 2 || MADE_UP.includes(camera.source) ? 'camera_input' : 'camera_failed',
        error.message,
        detail,
      );
    } finally {
      // It may still be opening: it is closed as soon as it is open.
      await Promise.race([open.then((source) => source.close()).catch(() => {}), pause(1000)]);
    }
  },
});
