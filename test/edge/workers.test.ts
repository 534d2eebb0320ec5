import t from 'tap';
import { drill } from '../../bench/edge/drill.js';
import { noiseCamera } from '../agent/rig.js';
import { mosquittoBroker, withoutMosquitto } from '../platform/brokers.js';
import { tinyBundle } from './harness.js';

const KILLS = 4;
/** A device must be answered again so soon after its worker died, ms. */
const RECOVERY_MS = 2000;

// One visible line where mosquitto is missing; in CI it must not be missing.
t.test(
  'three workers on mosquitto, killed at random under load: each frame is answered once or counted',
  { skip: process.env.CI === 'true' ? false : withoutMosquitto, timeout: 90_000 },
  async (t) => {
    const broker = await mosquittoBroker();
    await broker.start();
    t.teardown(() => broker.stop());
    const options = {
      broker: broker.url,
      bundle: tinyBundle,
      workers: 3,
      devices: 8,
      fps: 10,
      kills: KILLS,
      seed: 7,
      openCamera: noiseCamera(Number.POSITIVE_INFINITY, 100),
    };
    const { devices, twice, recovery_ms } = await drill(options);
    for (const [i, { frames, results, lost, stayed, ended }] of devices.entries()) {
      t.equal(ended, frames, `device ${i}: every frame ended`);
      t.equal(results + lost, frames, `${frames} frames: ${results} answered, ${lost} counted as lost`);
      t.ok(stayed >= 0.7 * frames, `device ${i} stays with a worker: ${stayed} of ${frames}`);
    }
    t.equal(twice, 0, 'no frame was answered twice');
    t.equal(recovery_ms.length, KILLS);
    for (const ms of recovery_ms) t.ok(ms <= RECOVERY_MS, `all answered again after ${ms} ms`);
    const lost = devices.reduce((sum, device) => sum + device.lost, 0);
    const frames = devices.reduce((sum, device) => sum + device.frames, 0);
    t.ok(lost <= 0.05 * frames, `${lost} of ${frames} frames were lost`);
  },
);
