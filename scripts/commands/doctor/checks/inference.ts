import { coloursOf } from '../../../../agent/camera/index.js';
import { defineCheck } from '../check.js';
import type { SelftestAnswer } from '../child.js';
import { boardModel } from '../environment.js';
import { expectation } from '../expect.js';

const RUNS = 3;
/** How much longer than the published range is still no finding: other work on the device. */
const TOLERANCE = 1.5;

export const inferenceCheck = defineCheck({
  name: 'inference',
  title: 'self-test inference',
  group: 'model',
  timeoutMs: 15_000,
  needs: ['config', 'runtime', 'bundle'],
  gives: ['testFrame'],
  findings: {
    inference_ok: {
      status: 'pass',
      means: 'Every head and the whole service run, in the time that this model of board should reach.',
    },
    inference_unknown_board: {
      status: 'pass',
      means: 'Every head and the whole service run. No times are published for this machine, so they are not judged.',
    },
    inference_slow: {
      status: 'warning',
      symptom: 'slow',
      means:
        'The service runs, but slower than this board should: it is throttled, short of memory, or busy with something else (the agent itself counts).',
      todo: 'See power, temperature and memory here; `top`. To measure alone: `sudo systemctl stop deepcod-agent; deepcod bench device; sudo systemctl start deepcod-agent`.',
    },
    inference_late: {
      status: 'warning',
      symptom: 'slow',
      means: 'Even the cheapest head takes longer than the time between two pictures: pictures are passed over.',
      todo: 'Fewer pictures a second (camera.fps: {fps_possible}), or a bundle with a smaller head.',
    },
    inference_failed: {
      status: 'failure',
      symptom: 'silent',
      means: 'A model of the bundle cannot be run here.',
      todo: 'Copy the bundle again; if it stays, send the archive: `deepcod doctor --archive support.tar.gz`.',
    },
    inference_crash: {
      status: 'failure',
      symptom: 'silent',
      means:
        'The process ended while it ran the models: illegal instruction (SIGILL), no memory (SIGKILL), or a fault in ONNX Runtime (SIGSEGV).',
      todo: '`sudo apt install --reinstall deepcod`; look for "out of memory" in `sudo dmesg`.',
    },
  },
  async run({ env, known, tell }) {
    const { config, bundle } = known as Required<typeof known>;
    const colours = coloursOf(config.camera.source);
    const args = [env.child, 'selftest', bundle.dir, String(config.threads ?? 0), String(RUNS), colours];
    const { code, signal, stdout, stderr, problem } = await env.run(env.node.path, args, 14_000);
    if (problem === 'timeout') return tell('inference_slow', 'no end after 14 s');
    if (signal) return tell('inference_crash', `its process ended with ${signal}`, { signal });
    if (code !== 0) return tell('inference_failed', stderr.trim().split('\n')[0] || `exit code ${code}`);
    const { ms, frame, session } = JSON.parse(stdout) as SelftestAnswer;
    known.testFrame = { message: Buffer.from(frame, 'base64'), session };
    const shown = Object.entries(ms)
      .map(([point, time]) => `${point} ${time.toFixed(1)} ms`)
      .join(', ');
    const values = Object.fromEntries(
      Object.entries(ms).map(([point, time]) => [`${point}_ms`, Math.round(time * 10) / 10]),
    );
    const heads = Object.entries(ms).filter(([point]) => point !== 'device');
    const quickest = Math.min(...heads.map(([, time]) => time));
    const { fps } = config.camera;
    if (fps > 0 && quickest > 1000 / fps) {
      const possible = Math.max(0.1, Math.floor((10 * 1000) / quickest) / 10);
      tell(
        'inference_late',
        `${quickest.toFixed(0)} ms for the cheapest head, ${(1000 / fps).toFixed(0)} ms between pictures`,
        {
          ...{ head_ms: Math.round(quickest), fps, fps_possible: possible },
        },
      );
    }
    const expected = expectation(await boardModel(env), bundle.manifest.service.flops);
    if (!expected) return tell('inference_unknown_board', shown, values);
    const { board, least, most, source } = expected;
    const range = `${board}: ${least.toFixed(0)} to ${most.toFixed(0)} ms expected for the service (${source})`;
    const all = { ...values, expected_least_ms: Math.round(least), expected_most_ms: Math.round(most) };
    tell(ms.device > most * TOLERANCE ? 'inference_slow' : 'inference_ok', `${shown}; ${range}`, all);
  },
});
