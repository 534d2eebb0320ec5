import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { packageRoot } from '../../../../platform/root.js';
import { defineCheck } from '../check.js';
import { properties, read } from '../environment.js';

/** A clock may be this much behind a file's time, ms: time zones of archives. */
const TOLERANCE_MS = 26 * 3600 * 1000;

export const clockCheck = defineCheck({
  name: 'clock',
  title: 'clock',
  group: 'device',
  timeoutMs: 4000,
  findings: {
    clock_ok: { status: 'pass', means: 'The clock is set from the network.' },
    clock_behind: {
      status: 'failure',
      symptom: 'silent',
      means:
        'The clock stands before this software was installed. Certificates look as if they were not valid yet, so TLS fails.',
      todo: 'Let it reach a time server (UDP port 123): `timedatectl`, `sudo timedatectl set-ntp true`; at once by hand: `sudo date -s "2026-11-21 12:00"`.',
    },
    clock_unsynchronised: {
      status: 'warning',
      means:
        'The clock has not been set from the network since the start. A board without a battery may be hours behind: certificates may seem not valid yet, and logs cannot be compared.',
      todo: '`sudo timedatectl set-ntp true`; if it stays so, the site lets no NTP through (UDP port 123): name its own server in /etc/systemd/timesyncd.conf and `sudo systemctl restart systemd-timesyncd`.',
    },
    clock_ntp_off: {
      status: 'warning',
      means: 'Nothing sets the clock of this device.',
      todo: '`sudo timedatectl set-ntp true`',
    },
  },
  async run({ env, tell, skip }) {
    const now = env.now();
    const installed = (await stat(join(packageRoot(), 'package.json'))).mtimeMs;
    const shown = new Date(now).toISOString().slice(0, 19).replace('T', ' ');
    if (now < installed - TOLERANCE_MS) {
      return tell('clock_behind', `${shown} UTC, before this software was installed`, { now: shown });
    }
    const told = await env.run('timedatectl', ['show'], 3000);
    const { NTPSynchronized: synchronised, NTP: on } = properties(told.stdout);
    if (synchronised === 'yes') return tell('clock_ok', `${shown} UTC, synchronised`, { now: shown });
    if (synchronised === undefined) {
      const stamp = await read(env, '/run/systemd/timesync/synchronized');
      if (stamp !== undefined) return tell('clock_ok', `${shown} UTC, synchronised`, { now: shown });
      return skip(`${shown} UTC; timedatectl does not answer here`);
    }
    if (on === 'no') return tell('clock_ntp_off', `${shown} UTC, and nothing sets it`, { now: shown });
    tell('clock_unsynchronised', `${shown} UTC, not synchronised`, { now: shown });
  },
});
