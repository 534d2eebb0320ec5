import { rgbOf } from '../../../../agent/camera/yuv.js';
import { DeepcodError, ExitCode } from '../../../../platform/errors.js';
import { brightnessOf } from '../../camera/brightness.js';
import { type CameraTrouble, firstPicture, holders, listCameras, mayUseVideo } from '../cameras.js';
import { defineCheck } from '../check.js';

/** A camera that gives no picture for so long gives none, ms. */
const PICTURE_MS = 8000;
/** Sources that need no hardware. */
const MADE_UP = ['simulated', 'replay'];
/** The side of the test picture: what is seen does not matter. */
const SIDE = 64;
export const cameraCheck = defineCheck({
  name: 'camera',
  title: 'camera',
  group: 'camera',
  timeoutMs: 14_000,
  needs: ['config'],
  uses: ['service'],
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
      means:
        'The picture is black, white, or of one colour: the lens is covered, light shines into it, or it is night.',
      todo: 'Take the cap off, clean the lens, look at a picture: `deepcod camera shot`.',
    },
  },
  async run({ env, known, tell, signal }) {
    const { camera } = known.config as NonNullable<typeof known.config>;
    const values = { source: camera.source };
    const madeUp = MADE_UP.includes(camera.source);
    if (camera.source === 'rpicam') {
      const there = await listCameras(env);
      if (there === 'missing') return tell('camera_programs_missing', 'rpicam-hello is not installed', values);
      if (there.length === 0) return tell('camera_none', 'rpicam-hello lists no camera', values);
    }
    // Pictures of a network camera come through the network.
    if (!madeUp && camera.source !== 'rtsp') {
      const { user, may } = await mayUseVideo(env);
      if (!may) return tell('camera_not_permitted', `${user} is not in group video`, { ...values, user });
      if (known.service === 'active') return tell('camera_in_use', 'held by the running agent', values);
    }
    try {
      const outcome = await firstPicture(env, camera, SIDE, PICTURE_MS, signal);
      if ('state' in outcome) return tellTrouble(outcome.state, outcome.message);
      const { description, picture } = outcome;
      if (!picture) return tell('camera_input', `${description}: its input is empty`, values);
      const { hint } = brightnessOf(rgbOf(picture));
      const what = `${description}: a picture of ${picture.sourceWidth}x${picture.sourceHeight}`;
      if (hint) return tell('camera_dark', `${what}, ${hint}`, values);
      tell(madeUp ? 'camera_made_up' : 'camera_ok', what, values);
    } catch (error) {
      if (!(error instanceof DeepcodError)) throw error;
      if (madeUp || error.exitCode === ExitCode.usage) return tell('camera_input', error.message, values);
      await tellTrouble(error.code === 'camera_busy' ? 'busy' : 'failed', error.message);
    }

    async function tellTrouble(state: CameraTrouble['state'], message: string): Promise<void> {
      if (state === 'gone') return tell('camera_none', message, values);
      if (state !== 'busy') return tell('camera_failed', message, values);
      const holder = (await holders(env)).join(', ') || 'not known to this user';
      tell('camera_busy', `${message} (held by ${holder})`, { ...values, holder });
    }
  },
});
