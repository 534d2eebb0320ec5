import tap from 'tap';
import { summaryOf } from '../../../agent/health/summary.js';
import type { AskFirmware } from '../../../agent/health/system/firmware.js';
import { throttledOf } from '../../../agent/health/system/throttling.js';
import { SystemHealthReader } from '../../../agent/health/system.js';
import { parseHealth } from '../../../protocol/health.js';

type Tree = { [name: string]: string | Tree };

const meminfo = (total: number, available: number, swap = 0, free = 0) =>
  `MemTotal:       ${total} kB\nMemFree:         1 kB\nMemAvailable:   ${available} kB\nSwapTotal: ${swap} kB\nSwapFree: ${free} kB\n`;
const wireless = (line = '') =>
  `Inter-| sta-|   Quality        |   Discarded packets               | Missed | WE\n face | tus | link level noise |  nwid  crypt   frag  retry   misc | beacon | 22\n${line}`;
const thermal = (type: string, temp: string): Tree => ({ thermal: { thermal_zone0: { type, temp } } });

/** What the machines show, as far as it is read. */
const machines: Record<string, Tree> = {
  'Pi 4': {
    proc: {
      'device-tree': { model: 'Raspberry Pi 4 Model B Rev 1.4\0' },
      stat: 'cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 1 1 1\n',
      loadavg: '0.42 0.30 0.10 1/150 999\n',
      meminfo: meminfo(3_884_000, 3_000_000, 204_796, 200_000),
      uptime: '123456.78 400000.00\n',
      net: { wireless: wireless(' wlan0: 0000   61.  -49.  -256        0      0      0      0      0        0\n') },
      self: { mounts: 'rootfs / rootfs rw 0 0\n/dev/mmcblk0p2 / ext4 rw,noatime 0 0\n' },
    },
    sys: {
      class: thermal('cpu-thermal\n', '48199\n'),
      devices: { platform: { soc: { 'soc:firmware': { get_throttled: '50005\n' } } } },
    },
    run: { systemd: { timesync: { synchronized: '' } } },
  },
  'Pi 5': {
    proc: {
      'device-tree': { model: 'Raspberry Pi 5 Model B Rev 1.0\0' },
      meminfo: meminfo(8_000_000, 7_000_000),
      net: { wireless: wireless() },
      self: { mounts: '/dev/mmcblk0p2 / ext4 ro,noatime 0 0\n' },
    },
    sys: {
      class: { ...thermal('cpu-thermal', '61000'), hwmon: { hwmon1: { name: 'rpi_volt\n', in0_lcrit_alarm: '1\n' } } },
    },
    run: { systemd: { timesync: { clock: '' } } },
  },
  'Zero 2 W': {
    proc: { 'device-tree': { model: 'Raspberry Pi Zero 2 W Rev 1.0\0' }, meminfo: meminfo(427_000, 90_000) },
    sys: { class: thermal('cpu-thermal', '70100') },
  },
  container: { proc: { stat: 'cpu  1 2 3 4\n', loadavg: '9.9 1 1 1/1 1', meminfo: 'MemTotal: 5 kB\n' } },
};

/** As the firmware prints it; one rail has no current, and one no voltage. */
const PMIC = `     VDD_CORE_A current(7)=1.50000000A
     3V7_WL_SW_A current(0)=0.20000000A
     0V8_SW_A current(6)=0.50000000A
     VDD_CORE_V volt(15)=0.90000000V
     3V7_WL_SW_V volt(8)=3.50000000V
     EXT5V_V volt(24)=5.10000000V
`;

function look(
  t: Pick<typeof tap, 'testdir' | 'teardown'>,
  name: string,
  vcgencmd: AskFirmware = async () => undefined,
) {
  const reader = new SystemHealthReader('/', t.testdir(machines[name]), vcgencmd);
  t.teardown(() => reader.close());
  return reader;
}

tap.test('a Raspberry Pi 4 that was too warm and has a weak supply', async (t) => {
  const reader = look(t, 'Pi 4');
  const { disk_free_bytes: free = 0, ...rest } = reader.latest;
  t.ok(free > 0);
  t.same(rest, {
    model: 'Raspberry Pi 4 Model B Rev 1.4',
    temperature_c: 48.2,
    throttled: { now: ['under_voltage', 'throttled'], since_boot: ['under_voltage', 'throttled'] },
    load1: 0.42,
    memory: { total: 3_884_000 * 1024, available: 3_000_000 * 1024 },
    swap_used: 4796 * 1024,
    wifi: { interface: 'wlan0', signal_dbm: -49, quality: 0.87 },
    uptime_s: 123456.78,
    clock_synchronised: true,
    read_only_root: false,
  });
});

tap.test('a Raspberry Pi 5: the kernel tells of low voltage, the firmware when it was asked', async (t) => {
  let asked = 0;
  const reader = look(t, 'Pi 5', async (question) => {
    if (question === 'pmic_read_adc') return PMIC;
    asked++;
    return 'throttled=0xe0008\n';
  });
  t.notOk('power_w' in reader.latest, 'nothing is waited for');
  t.same(reader.latest.throttled, { now: ['under_voltage'], since_boot: ['under_voltage'] });
  t.match(reader.latest, { clock_synchronised: false, read_only_root: true, temperature_c: 61 });
  t.notOk(reader.latest.wifi);
  await new Promise((resolve) => setImmediate(resolve));
  const start = performance.now();
  t.same(reader.read(start).throttled, {
    now: ['soft_temperature_limit'],
    since_boot: ['frequency_capped', 'throttled', 'soft_temperature_limit'],
  });
  t.equal(reader.latest.power_w, 2.05, 'rails with current and voltage: 1.5 A * 0.9 V + 0.2 A * 3.5 V');
  for (let s = 0; s < 50; s++) reader.read(start + s * 1000);
  t.equal(asked, 1, 'a process a minute at most');
  reader.read(start + 61_000);
  t.equal(asked, 2);
});

tap.test('a Zero 2 W without vcgencmd, and a container: what is not known is absent', async (t) => {
  const { disk_free_bytes: _, ...zero } = look(t, 'Zero 2 W').latest;
  t.same(zero, {
    model: 'Raspberry Pi Zero 2 W Rev 1.0',
    temperature_c: 70.1,
    memory: { total: 427_000 * 1024, available: 90_000 * 1024 },
    swap_used: 0,
  });
  const { disk_free_bytes: __, ...container } = look(t, 'container').latest;
  t.same(container, { load1: 9.9 });
});

tap.test('this machine: read again and again, in little time, and its message is valid', async (t) => {
  const reader = new SystemHealthReader();
  t.teardown(() => reader.close());
  let sum = 0;
  for (let i = 0; i < 2e7; i++) sum += i;
  t.ok(sum > 0);
  const { cpu = -1, memory } = reader.read();
  t.ok(cpu >= 0 && cpu <= 1, `busy: ${cpu}`);
  t.ok(memory && memory.available <= memory.total);
  const health = { v: 1, device: 'a', session: 1, uptime_s: 1, drops: { late: 2 }, rss_bytes: 2 ** 27 };
  const message = parseHealth(Buffer.from(JSON.stringify({ ...health, system: reader.latest })));
  t.match(summaryOf(message), { drops: 'late:2', rss_mb: 128, memory_mb: Number });
  const start = performance.now();
  for (let i = 0; i < 100; i++) reader.read();
  t.ok((performance.now() - start) / 100 < 10, 'milliseconds');
});

tap.test('the bits of the firmware', async (t) => {
  t.same(throttledOf(0), { now: [], since_boot: [] });
  t.same(throttledOf(0xf000f), {
    now: ['under_voltage', 'frequency_capped', 'throttled', 'soft_temperature_limit'],
    since_boot: ['under_voltage', 'frequency_capped', 'throttled', 'soft_temperature_limit'],
  });
  t.same(throttledOf(0x20000), { now: [], since_boot: ['frequency_capped'] });
});
