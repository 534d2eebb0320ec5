import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { examine, folder, of } from './stand-in.js';

const GIB = 2 ** 30;
const pi4 = { '/proc/device-tree/model': 'Raspberry Pi 4 Model B Rev 1.4\0' };

t.test('power: the firmware’s word', async (t) => {
  const cases: [string, string[]][] = [
    ['0x0', ['power_ok']],
    ['0x50005', ['undervoltage_now', 'throttled_now']],
    ['0x50000', ['undervoltage_before', 'throttled_before']],
    ['0x10000', ['undervoltage_before']],
    ['0x80008', ['throttled_now']],
  ];
  for (const [word, ids] of cases) {
    const { findings } = await examine(t, ['power'], { files: pi4, programs: { vcgencmd: `throttled=${word}\n` } });
    t.same(
      of(findings, 'power').map(({ id }) => id),
      ids,
      word,
    );
  }
  const kernel = { ...pi4, '/sys/devices/platform/axi/axi:firmware/get_throttled': '50005\n' };
  const { findings } = await examine(t, ['power'], { files: kernel });
  t.match(
    findings,
    [{ id: 'undervoltage_now', status: 'failure', symptom: 'slow', todo: /supply/ }, {}],
    'without vcgencmd, from the kernel',
  );
  t.match((await examine(t, ['power'])).findings, [{ status: 'skipped', what: /no Raspberry Pi/ }]);
});

t.test('heat', async (t) => {
  for (const [milli, id] of [
    ['45123', 'heat_ok'],
    ['77000', 'warm'],
    ['84500', 'hot'],
  ]) {
    const { ids } = await examine(t, ['heat'], { files: { '/sys/class/thermal/thermal_zone0/temp': `${milli}\n` } });
    t.same(ids, [id]);
  }
  t.same((await examine(t, ['heat'])).ids, ['skipped']);
});

t.test('clock', async (t) => {
  const at = (show: string, parts = {}) => examine(t, ['clock'], { programs: { 'timedatectl show': show }, parts });
  t.same((await at('NTP=yes\nNTPSynchronized=yes\n')).ids, ['clock_ok']);
  t.same((await at('NTP=yes\nNTPSynchronized=no\n')).ids, ['clock_unsynchronised']);
  t.same((await at('NTP=no\nNTPSynchronized=no\n')).ids, ['clock_ntp_off']);
  t.match((await at('NTPSynchronized=yes\n', { now: () => 0 })).findings, [
    { id: 'clock_behind', what: /^1970-01-01/, symptom: 'silent' },
  ]);
  t.same((await examine(t, ['clock'], { files: { '/run/systemd/timesync/synchronized': '' } })).ids, ['clock_ok']);
});

t.test('disk: full, little, no inodes, read-only', async (t) => {
  const roomy = { bytes: 30 * GIB, freeBytes: 20 * GIB, files: 1000, freeFiles: 900 };
  const space = (changed: object) => ({ parts: { space: async () => ({ ...roomy, ...changed }) } });
  t.same((await examine(t, ['disk'], space({}))).ids, ['config_ok', 'disk_ok']);
  t.match((await examine(t, ['disk'], space({ freeBytes: 0 }))).findings, [
    {},
    { id: 'disk_full', todo: /sudo du -xh \/ / },
  ]);
  t.same((await examine(t, ['disk'], space({ freeBytes: 100 * 2 ** 20 }))).ids, ['config_ok', 'disk_low']);
  t.same((await examine(t, ['disk'], space({ freeFiles: 3 }))).ids, ['config_ok', 'disk_no_inodes']);
  const mounts = '/dev/mmcblk0p2 / ext4 ro,noatime 0 0\nproc /proc proc rw 0 0\n';
  const readOnly = await examine(t, ['disk'], { ...space({}), files: { '/proc/mounts': mounts } });
  t.match(readOnly.findings, [{}, { id: 'disk_read_only', what: '/ (/dev/mmcblk0p2) is mounted read-only' }]);
});

t.test('disk: the folder of kept results is looked at too', async (t) => {
  const results = join(folder(t), 'not', 'yet');
  const asked: string[] = [];
  const parts = {
    space: async (path: string) => {
      asked.push(path);
      return { bytes: GIB, freeBytes: GIB, files: 0, freeFiles: 0 };
    },
  };
  mkdirSync(join(results, '..'), { recursive: true });
  await examine(t, ['configuration', 'disk'], { parts, config: { results: { folder: results } } });
  t.same(asked, ['/', join(results, '..')], 'as far as there is one yet');
});

t.test('SD card errors in the kernel’s log', async (t) => {
  const log = (stdout: string) => ({ programs: { journalctl: stdout } });
  t.same((await examine(t, ['storage'], log('usb 1-1: new device\nmmc0: new high speed SDHC card\n'))).ids, [
    'storage_ok',
  ]);
  const bad = await examine(
    t,
    ['storage'],
    log('mmc0: error -110 whilst initialising SD card\nboot\nEXT4-fs error (device mmcblk0p2): bad\n'),
  );
  t.match(bad.findings, [{ id: 'storage_errors', what: /^2 lines .* EXT4-fs error/ }]);
  t.match((await examine(t, ['storage'])).findings, [{ status: 'skipped', todo: /sudo/ }]);
  t.same((await examine(t, ['storage'], { programs: { dmesg: 'I/O error, dev mmcblk0, sector 5' } })).ids, [
    'storage_errors',
  ]);
});

t.test('memory', async (t) => {
  const memory = (available: number, swapFree: number, more = {}) => ({
    files: {
      '/proc/meminfo': `MemTotal: 948304 kB\nMemAvailable: ${available} kB\nSwapTotal: 524288 kB\nSwapFree: ${swapFree} kB\n`,
      ...more,
    },
  });
  t.same((await examine(t, ['memory'], memory(400_000, 524_288))).ids, ['memory_ok']);
  t.same((await examine(t, ['memory'], memory(20_000, 524_288))).ids, ['memory_low']);
  t.same((await examine(t, ['memory'], memory(400_000, 100_000))).ids, ['memory_swapping']);
  const stalled = { '/proc/pressure/memory': 'some avg10=40.00 avg60=31.00 avg300=2.00 total=9\n' };
  t.same((await examine(t, ['memory'], memory(400_000, 524_288, stalled))).ids, ['memory_low']);
  t.same((await examine(t, ['memory'], memory(400_000, 524_288, { '/proc/vmstat': 'oom_kill 2\n' }))).ids, [
    'memory_killed',
  ]);
});

t.test('Wi-Fi: strength, rate, sleep', async (t) => {
  const route = 'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\n';
  const wifi = (dbm: number, programs = {}) => ({
    files: {
      '/proc/net/route': `${route}eth0\t0001A8C0\t00\t1\t0\t0\t0\t00\nwlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\n`,
      '/proc/net/wireless': `Inter-| sta-|\n face |\n wlan0: 0000   52.  ${dbm}.  -256        0      0\n`,
    },
    programs,
  });
  const link = 'iw dev wlan0 link';
  const sleep = 'iw dev wlan0 get power_save';
  t.match(
    (await examine(t, ['wifi'], wifi(-55, { [link]: '\ttx bitrate: 72.2 MBit/s\n', [sleep]: 'Power save: off\n' })))
      .findings,
    [{ id: 'wifi_ok', what: 'wlan0 -55 dBm, sends at 72.2 Mbit/s' }],
  );
  t.match((await examine(t, ['wifi'], wifi(-84))).findings, [
    { id: 'wifi_weak', status: 'failure', symptom: 'slow', values: { dbm: -84 } },
  ]);
  t.same((await examine(t, ['wifi'], wifi(-74))).ids, ['wifi_fair']);
  t.same((await examine(t, ['wifi'], wifi(-50, { [link]: 'tx bitrate: 1.0 MBit/s' }))).ids, ['wifi_slow']);
  t.match((await examine(t, ['wifi'], wifi(-50, { [sleep]: 'Power save: on' }))).findings, [
    { id: 'wifi_power_save', todo: /iw dev wlan0 set power_save off/ },
  ]);
  t.same(
    (await examine(t, ['wifi'], { files: { '/proc/net/route': `${route}eth0\t00000000\t0\t3\t0\t0\t0\t0\n` } })).ids,
    ['wifi_unused'],
  );
});

t.test('the service under systemd', async (t) => {
  const unit = (text: string) => ({ programs: { systemctl: text.replaceAll(' ', '\n') } });
  const cases: [string, string, RegExp][] = [
    [
      'LoadState=loaded ActiveState=active SubState=running Result=success NRestarts=0 UnitFileState=enabled',
      'service_ok',
      /running/,
    ],
    [
      'LoadState=loaded ActiveState=activating SubState=auto-restart Result=exit-code NRestarts=12 ExecMainStatus=4',
      'service_restarting',
      /exit-code \(camera\), 12 restarts/,
    ],
    ['LoadState=loaded ActiveState=failed SubState=failed Result=watchdog NRestarts=5', 'service_failed', /watchdog/],
    ['LoadState=loaded ActiveState=inactive SubState=dead Result=success NRestarts=0', 'service_stopped', /dead/],
    [
      'LoadState=loaded ActiveState=active SubState=running Result=success NRestarts=0 UnitFileState=disabled',
      'service_disabled',
      /active/,
    ],
    [
      'LoadState=loaded ActiveState=active SubState=running Result=success NRestarts=9 UnitFileState=enabled',
      'service_unstable',
      /9 restarts/,
    ],
    ['LoadState=not-found ActiveState=inactive', 'skipped', /not installed/],
  ];
  for (const [text, id, what] of cases) {
    t.match((await examine(t, ['service'], unit(text))).findings, [{ id, what }]);
  }
  t.match((await examine(t, ['service'])).findings, [{ id: 'skipped', what: /systemd/ }]);
});
