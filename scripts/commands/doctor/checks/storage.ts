import { defineCheck } from '../check.js';
import { kernelLog } from '../kernel.js';

/** What the kernel says when a card, or a file system on it, fails. */
const TROUBLE = [
  /mmc\d+:.*(error|timeout|timed out)/i,
  /I\/O error.*(mmcblk|sd[a-z]|nvme)/i,
  /(mmcblk|sd[a-z]|nvme\w+).*I\/O error/i,
  /EXT4-fs( \(\w+\))?:? error/i,
  /Remounting filesystem read-only/i,
];

export const storageCheck = defineCheck({
  name: 'storage',
  title: 'SD card errors',
  group: 'device',
  timeoutMs: 5000,
  findings: {
    storage_ok: { status: 'pass', means: 'The kernel reported no error of the SD card or disk since the start.' },
    storage_errors: {
      status: 'failure',
      means:
        'The kernel reported errors of the SD card or disk: it is failing, badly seated, or was damaged by power loss.',
      todo: '`sudo dmesg | grep -iE "mmc|I/O error|EXT4-fs"`; save /etc/deepcod, replace the card (a high-endurance one), flash it anew.',
    },
  },
  async run({ env, tell, skip }) {
    const log = await kernelLog(env);
    if (log === undefined) return skip('the kernel log cannot be read', '`sudo deepcod doctor` reads it.');
    const lines = log.split('\n').filter((line) => TROUBLE.some((pattern) => pattern.test(line)));
    if (lines.length === 0) return tell('storage_ok', 'no errors in the kernel log');
    tell('storage_errors', `${lines.length} lines in the kernel log, last: ${lines.at(-1)?.trim().slice(0, 120)}`, {
      lines: lines.length,
    });
  },
});
