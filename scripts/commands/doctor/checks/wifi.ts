import { defineCheck } from '../check.js';
import { type Environment, read } from '../environment.js';

/** dBm: below the first, rates fall; below the second, packets get lost. */
const FAIR_DBM = -70;
const WEAK_DBM = -78;
/** Mbit/s below which a link carries little beside its own overhead. */
const SLOW_MBPS = 6;

export const wifiCheck = defineCheck({
  name: 'wifi',
  title: 'Wi-Fi',
  group: 'network',
  timeoutMs: 4000,
  findings: {
    wifi_ok: { status: 'pass', means: 'The Wi-Fi is strong enough, and does not sleep between packets.' },
    wifi_unused: { status: 'pass', means: 'The way to the network is no Wi-Fi.' },
    wifi_fair: {
      status: 'warning',
      symptom: 'slow',
      means: 'The signal is fair: in rain, or with people and machines in between, it may not do.',
      todo: 'Turn or move the device, or the access point; 2.4 GHz (channels 1, 6, 11) reaches farther than 5 GHz. Watch it: `watch -n 1 cat /proc/net/wireless`.',
    },
    wifi_weak: {
      status: 'failure',
      symptom: 'slow',
      means: 'The signal is too weak: packets get lost and are sent again.',
      todo: 'Nearer, an aerial, another access point, or a cable. Watch it while you move: `watch -n 1 cat /proc/net/wireless`.',
    },
    wifi_power_save: {
      status: 'warning',
      symptom: 'slow',
      means: 'The Wi-Fi sleeps between packets: every result waits up to some hundred ms for it to wake up.',
      todo: '`sudo iw dev {interface} set power_save off`; for good: `sudo nmcli connection modify "$(nmcli -g GENERAL.CONNECTION device show {interface})" 802-11-wireless.powersave 2`.',
    },
    wifi_slow: {
      status: 'warning',
      symptom: 'slow',
      means: 'The radio runs at its lowest rates: weak signal, or disturbed by others on the channel.',
      todo: 'Another channel or band; `sudo iw dev {interface} scan | grep -E "SSID|signal|freq"` shows who else is there.',
    },
  },
  async run({ env, tell, skip }) {
    const radios = ((await read(env, '/proc/net/wireless')) ?? '').split('\n').flatMap((line) => {
      const [, name, dbm] = /^\s*(\w+):\s+\S+\s+\S+\s+(-?\d+)\.?\s/.exec(line) ?? [];
      return name ? [{ name, dbm: Number(dbm) }] : [];
    });
    const way = await defaultInterface(env);
    if (way === undefined) return skip('no default route: nothing to judge');
    const radio = radios.find(({ name }) => name === way);
    if (!radio) return tell('wifi_unused', `by ${way}`, { interface: way });
    const { stdout: state } = await env.run('iw', ['dev', way, 'link'], 2000);
    const { stdout: sleep } = await env.run('iw', ['dev', way, 'get', 'power_save'], 2000);
    const rate = /tx bitrate: ([\d.]+) MBit/.exec(state)?.[1];
    const values = { interface: way, dbm: radio.dbm, tx_mbps: rate === undefined ? undefined : Number(rate) };
    const what = `${way} ${radio.dbm} dBm${rate ? `, sends at ${rate} Mbit/s` : ''}`;
    if (/Power save: on/.test(sleep)) tell('wifi_power_save', `${way} sleeps between packets`, values);
    if (radio.dbm < WEAK_DBM) tell('wifi_weak', what, values);
    else if (values.tx_mbps !== undefined && values.tx_mbps < SLOW_MBPS) tell('wifi_slow', what, values);
    else if (radio.dbm < FAIR_DBM) tell('wifi_fair', what, values);
    else if (!/Power save: on/.test(sleep)) tell('wifi_ok', what, values);
  },
});

/** The interface of the default route, or undefined. */
async function defaultInterface(env: Environment): Promise<string | undefined> {
  const routes = ((await read(env, '/proc/net/route')) ?? '')
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'));
  const all = routes.filter(([, destination]) => destination === '00000000');
  return all.sort((a, b) => Number(a[6]) - Number(b[6]))[0]?.[0];
}
