import { readFile, writeFile } from 'node:fs/promises';
import { get } from 'node:https';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { newTrip } from '../../agent/pipeline/trip.js';
import { demoOptions } from '../../scripts/live/options.js';
import { Table, tripLine } from '../../scripts/live/table.js';
import { tinyBundle } from '../agent/rig.js';
import { run, start } from '../platform/process.js';

const tiny = ['--bundle', tinyBundle, '--port', '0'];

t.test('--frames and --json: the report', async (t) => {
  const file = join(t.testdir({}), 'report.json');
  const { code, output } = await run('scripts/demo.js', [
    ...tiny,
    '--frames',
    '12',
    '--fps',
    '0',
    '--partition',
    'input',
    '--json',
    file,
  ]);
  t.equal(code, 0, output);
  t.match(output, /Live page: http:\/\/127\.0\.0\.1:\d+/);
  t.match(output, /frame {2}partition .* detections/);
  const report = JSON.parse(await readFile(file, 'utf8'));
  t.same(Object.keys(report), [
    ...[
      'frames',
      'results',
      'lost',
      'detections',
      'bytes',
      'latency_ms',
      'partitions',
      'coding',
      'machine',
      'versions',
    ],
  ]);
  t.match(report, {
    frames: 12,
    results: 12,
    lost: 0,
    detections: Number,
    bytes: { mean: Number, p50: Number, p95: Number },
    latency_ms: { p50: Number, p95: Number },
    partitions: { input: 12 },
    coding: { key: 12 },
    machine: { cpu: String, cores: Number },
    versions: { deepcod: String, node: process.versions.node, onnxruntime: String, bundle: /^tiny\/[0-9a-f]{16}$/ },
  });
  t.same(Object.keys(report.latency_ms.steps).sort(), [
    ...['capture', 'decode', 'down', 'encode', 'head', 'post', 'preprocess', 'queue', 'tail', 'up'],
  ]);
  t.ok(report.bytes.p50 <= report.bytes.p95 && report.latency_ms.p50 <= report.latency_ms.p95);
});

t.test('a folder of photos, once', async (t) => {
  const dir = t.testdir({});
  for (const [name, r] of Object.entries({ a: 250, b: 120, c: 30 })) {
    const create = { width: 80, height: 40, channels: 3 as const, background: { r, g: 20, b: 20 } };
    await writeFile(join(dir, `${name}.jpg`), await sharp({ create }).jpeg().toBuffer());
  }
  const { code, output } = await run('scripts/demo.js', [
    ...[...tiny, '--camera', 'replay', '--input', dir, '--once', '--fps', '0', '--partition', 'raw'],
  ]);
  t.equal(code, 0, output);
  t.match(output, /3 frames: 3 results, 0 lost/);
});

t.test('--secure --cameras 2: certificates, https, logins; two cameras at one edge', async (t) => {
  const file = join(t.testdir({}), 'report.json');
  const demo = start('scripts/demo.js', [
    ...[...tiny, '--secure', '--cameras', '2', '--frames', '15', '--fps', '5', '--partition', 'input', '--json', file],
  ]);
  await demo.says(/log in as viewer/);
  const [, url] = /Live page: (https:\/\/\S+)/.exec(demo.output()) ?? [];
  const status = await new Promise((resolve, reject) => {
    get(`${url}api/v1/cameras`, { rejectUnauthorized: false }, (response) => resolve(response.statusCode)).on(
      'error',
      reject,
    );
  });
  t.equal(status, 401, 'nobody looks without a login');
  t.equal(await demo.ended(), 0, demo.output());
  t.match(demo.output(), /\ncamera-1 .*\n/);
  t.match(demo.output(), /\ncamera-2 .*\n/);
  const report = JSON.parse(await readFile(file, 'utf8'));
  t.match(
    report,
    { frames: 30, results: 30, partitions: { input: 30 } },
    'both reach the edge with their certificates',
  );
});

t.test('Ctrl-C stops it cleanly', async (t) => {
  const demo = start('scripts/demo.js', [...tiny, '--partition', 'input']);
  await demo.says(/\n +3 {2}input/);
  demo.child.kill('SIGINT');
  t.equal(await demo.ended(), 0);
  t.match(demo.output(), /\d+ frames: \d+ results, 0 lost/);
  t.notMatch(demo.output(), /Error|warn/);
});

t.test('what makes no sense ends with 2 and the usage', async (t) => {
  const wrong: [string[], RegExp][] = [
    [['--fames', '3'], /--fames: unknown option; did you mean "frames"\?/],
    [['--frames', 'many'], /--frames many: a whole number from 1/],
    [['--frames', '0'], /--frames 0/],
    [['--fps', '-1'], /--fps/],
    [['--port', '70000'], /--port 70000: a whole number from 0 to 65535/],
    [['--camera', 'webcam'], /--camera webcam: there is no such camera/],
    [['--camera', 'replay'], /--input/],
    [['--input', '/nowhere/photos'], /no such file or folder/],
    [['--camera', 'simulated', '--input', '/tmp'], /only the replay camera/],
    [['--cameras', '9'], /--cameras 9: a whole number from 1 to 8/],
    [['--cameras', '2', '--input', '/tmp'], /only simulated ones/],
    [['--secure', '--broker', 'mqtt://localhost'], /brings its own broker/],
    [['--secure', '--link', '1mbit'], /no certificate/],
    [['--rate', 'best'], /--rate best/],
    [['photos'], /photos/],
  ];
  for (const [args, message] of wrong) t.throws(() => demoOptions(args), { message });
  const { code, output } = await run('scripts/demo.js', ['--fames', '3']);
  t.equal(code, 2);
  t.match(output, /did you mean "frames"/);
  t.match(output, /usage: \.\/scripts\/demo/);
  t.match(await run('scripts/demo.js', [...tiny, '--partition', 'inptu']), { code: 2, output: /did you mean "input"/ });
  t.match(await run('scripts/demo.js', ['--bundle', '/nowhere', '--port', '0']), { code: 3, output: /\/nowhere/ });
  t.match(await run('scripts/demo.js', ['--input', t.testdir({}), ...tiny]), { code: 4, output: /no images/ });
});

t.test('the table: lines for a file, redrawn on a terminal', async (t) => {
  const data = new Uint8Array(0);
  const picture = { data, width: 1, height: 1, sourceWidth: 1, sourceHeight: 1, capturedAt: 0, captureMs: 2 };
  const trip = (frame: number) =>
    Object.assign(newTrip(frame, picture, 0), {
      partition: 'input',
      rate: 1,
      bytes: 5120,
      coding: 'inter' as const,
      outcome: 'result' as const,
      detections: [{ class: 0, label: 'head', score: 1, box: [0, 0, 1, 1] as [number, number, number, number] }],
    });
  t.match(tripLine(trip(7)), /^ +7 {2}input\/1 +5120 {2}inter +2\.0 .* 1 head$/);
  t.match(tripLine(Object.assign(trip(8), { outcome: 'timeout' as const })), /lost: timeout$/);

  const written = (isTTY: boolean) => {
    let text = '';
    const write = (part: string) => {
      text += part;
    };
    const table = new Table({ isTTY, columns: 100, rows: 10, write });
    for (let frame = 0; frame < 30; frame++) table.add(trip(frame), 'summary');
    table.note('a note');
    table.end();
    return text;
  };
  const lines = written(false).trimEnd().split('\n');
  t.equal(lines.length, 32, 'head, 30 lines, the note');
  t.notMatch(lines.join(), '\x1b');
  const screen = written(true);
  t.match(screen, '\x1b[');
  t.ok(screen.split('\n').every((line) => line.length < 120));
  t.match(screen, /a note\n.*frame {2}partition/s);
});
