import { randomBytes } from 'node:crypto';
import { Topics } from '../../../../protocol/topics.js';
import { defineCheck } from '../check.js';
import { PINGS, PROBE, UPLOAD_BYTES } from '../probe.js';
import { within } from '../within.js';

const PING_MS = 1500;
/** The larger upload is left out where the smaller took longer, ms. */
const ENOUGH_MS = 1500;
const SLOW_DELAY_MS = 250;
/** So much of the link may the frames take: rates vary. */
const SHARE = 0.7;
const BITS = 8;

export const linkCheck = defineCheck({
  name: 'link',
  title: 'link: delay and throughput',
  group: 'network',
  timeoutMs: 14_000,
  needs: ['config', 'client', 'permitted'],
  uses: ['bundle'],
  gives: ['delayMs', 'uploadBps'],
  // Both keep the processor and the link busy: one after the other.
  after: ['inference'],
  findings: {
    link_ok: { status: 'pass', means: 'Delay is low, nothing is lost, and the link carries what the frames need.' },
    link_slow: {
      status: 'warning',
      symptom: 'slow',
      means:
        'The link carries less than the smallest frames at this frame rate need: pictures are passed over, or answered on the device.',
      todo: 'Fewer pictures a second (camera.fps), a bundle with smaller frames, a cable instead of Wi-Fi; `deepcod explain` shows what the agent makes of it.',
    },
    link_delayed: {
      status: 'warning',
      symptom: 'slow',
      means: 'Messages to the broker and back take long: a busy or weak link, or a broker far away.',
      todo: 'Who else uses this link? Compare at night. On Wi-Fi see signal and power save here. `ping -c 20 {host}`.',
    },
    link_lossy: {
      status: 'failure',
      symptom: 'slow',
      means: 'Messages get lost or take longer than 1.5 s: frames time out.',
      todo: 'Wi-Fi: nearer to the access point, other channel, power save off, or a cable. `ping -c 50 {host}` shows the loss; look at `ip -s link`.',
    },
    link_dead: {
      status: 'failure',
      symptom: 'silent',
      means: 'The connection broke while the link was tried.',
      todo: 'See the findings on Wi-Fi; `journalctl -u deepcod-edge -u mosquitto -n 50` at the edge.',
    },
  },
  async run({ known, tell, signal }) {
    const { config, client, broker } = known as Required<typeof known>;
    const topic = new Topics(config.base).ping(config.device);
    let heard: (() => void) | undefined;
    await client.subscribe(topic, (_, payload) => {
      if (payload.equals(PROBE)) heard?.();
    });
    const times: number[] = [];
    let lost = 0;
    for (let i = 0; i < PINGS && lost < 3; i++) {
      const start = performance.now();
      const back = new Promise<true>((resolve) => {
        heard = () => resolve(true);
      });
      client.send(topic, PROBE);
      if (await within(back, PING_MS, signal)) times.push(performance.now() - start);
      else lost++;
    }
    if (!client.connected) return tell('link_dead', 'the broker closed the connection', { host: broker.host });
    const delay = times.sort((a, b) => a - b)[times.length >> 1] ?? PING_MS;
    const fastest = times[0] ?? 0;
    known.delayMs = delay;
    const sent = times.length + lost;
    await client.unsubscribe(topic);

    let bps = 0;
    for (const size of UPLOAD_BYTES) {
      const { ms, code } = await client.publish(topic, randomBytes(size), signal);
      if (code !== undefined)
        return tell('link_dead', `the broker refused ${size} bytes (${code})`, { host: broker.host, code });
      // Without the way there and back; half of the time is sending in any case.
      bps = (size * BITS) / (Math.max(ms - fastest, ms / 2) / 1000);
      if (ms > ENOUGH_MS) break;
    }
    known.uploadBps = bps;
    const smallest = Math.min(
      ...(known.bundle?.manifest.partitions.flatMap(({ rates }) => rates.map((rate) => rate.payload_bytes_mean)) ?? [
        0,
      ]),
    );
    const needed = smallest * BITS * config.camera.fps;
    const values = {
      ...{ host: broker.host, delay_ms: Math.round(delay * 10) / 10, lost, sent },
      ...{ upload_bps: Math.round(bps), needed_bps: Math.round(needed) },
    };
    const loss = lost > 0 ? `, ${lost} of ${sent} lost` : '';
    const what = `delay ${delay.toFixed(1)} ms${loss}, up ${mbit(bps)} Mbit/s; frames need ${mbit(needed)}`;
    if (lost > 0) tell('link_lossy', what, values);
    else if (needed > bps * SHARE) tell('link_slow', what, values);
    else if (delay > SLOW_DELAY_MS) tell('link_delayed', what, values);
    else tell('link_ok', what, values);
  },
});

const mbit = (bps: number): string => {
  const value = bps / 1e6;
  return value < 1 ? value.toFixed(3) : value.toFixed(1);
};
