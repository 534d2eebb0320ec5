import t from 'tap';
import { type Manifest, ProtocolError, validateManifest } from '../../protocol/index.js';
import { exampleManifest } from './vectors.js';

type Change = (m: Manifest) => void;
const problemsOf = (change: Change): readonly string[] => {
  const manifest = exampleManifest();
  change(manifest);
  try {
    validateManifest(manifest);
  } catch (error) {
    if (error instanceof ProtocolError && error.code === 'manifest_invalid') return error.problems;
    throw error;
  }
  return [];
};

t.test('a good manifest passes and is returned as it is', async (t) => {
  const manifest = exampleManifest();
  t.equal(validateManifest(manifest), manifest);
  t.same(
    problemsOf((m) => Object.assign(m, { partitions: [] })),
    [],
    'a bundle without partition points',
  );
  t.same(
    problemsOf((m) => {
      m.service.decode = { type: 'yolov3', outputs: [{ name: 'o', stride: 16, anchors: [[1, 2]] }] };
      m.accuracy = { dataset: 'x', images: 3, ap: 0.4, ap75: 0.3 };
      m.partitions[0].provenance = { seed: 1 };
    }),
    [],
  );
});

t.test('each mistake is named: key, value, what is allowed', async (t) => {
  const cases: [string, Change, RegExp][] = [
    ['format', (m) => Object.assign(m, { format: 2 }), /^format: 2; allowed: 1$/],
    ['unknown key', (m) => Object.assign(m.service, { nms: 1 }), /^service: unknown key "nms"; allowed: name, task, /],
    ['missing key', (m) => Reflect.deleteProperty(m, 'input'), /^missing key "input"$/],
    ['task', (m) => Object.assign(m.service, { task: 'dream' }), /^service.task: "dream"; allowed: "detect"$/],
    ['decode', (m) => Object.assign(m.service, { decode: { type: 'yolov9' } }), /service.decode: .*"yolov9"/],
    ['stride', (m) => Object.assign(m.service.decode, { strides: [7] }), /^service.decode: stride 7 does not divide/],
    [
      'levels',
      (m) => Object.assign(m.partitions[0].code, { levels: 256 }),
      /partitions\[0\].code.levels: 256; must be <= 255/,
    ],
    ['levels', (m) => Object.assign(m.partitions[0].code, { levels: 1 }), /levels: 1; must be >= 2/],
    [
      'cells',
      (m) => Object.assign(m.partitions[0].code, { height: 2048, width: 2048 }),
      /16777216 symbols .* at most 1048576/,
    ],
    ['rates', (m) => (m.partitions[0].rates = Array(17).fill({ payload_bytes_mean: 1 })), /rates: .*1 to 16 rates/],
    ['rates', (m) => (m.partitions[0].rates = []), /1 to 16 rates/],
    ['twice', (m) => m.partitions.push(m.partitions[0]), /partitions\[1\].id: "input" is there twice/],
    ['reserved', (m) => (m.partitions[0].id = 'device'), /"device" is reserved/],
    [
      'not listed',
      (m) => delete m.files['tails/input.onnx'],
      /partitions\[0\].tail: "tails\/input.onnx" is not listed/,
    ],
    [
      'YUV head not listed',
      (m) => (m.partitions[0].head_yuv = 'x.onnx'),
      /partitions\[0\].head_yuv: "x.onnx" is not listed/,
    ],
    ['YUV model not listed', (m) => (m.service.model_yuv = 'x.onnx'), /service.model_yuv: "x.onnx" is not listed/],
    [
      'odd input for YUV',
      (m) => {
        m.service.model_yuv = 'service.onnx';
        m.input.width += 1;
        m.service.decode = { type: 'yolov3', outputs: [{ name: 'o', stride: 1, anchors: [[1, 2]] }] };
      },
      /service.model_yuv: the input is \d+x\d+; YUV 4:2:0 needs even sizes/,
    ],
    ['model not listed', (m) => delete m.files['service.onnx'], /service.model: .* not listed/],
    ['prototype', (m) => (m.service.model = 'toString'), /"toString" is not listed/],
    ['hash', (m) => (m.files['service.onnx'].sha256 = 'abc'), /files\["service.onnx"\].sha256: "abc"; 64 lower-case/],
    ['classes', (m) => (m.service.classes = ['a', 'a']), /service.classes: .* different names/],
    ['pad', (m) => (m.input.letterbox.pad = 300), /input.letterbox.pad: 300; must be <= 255/],
  ];
  for (const [name, change, expected] of cases) {
    t.match(problemsOf(change), [expected], name);
    t.equal(problemsOf(change).length, 1, `${name}: one problem, one line`);
  }
});

t.test('paths cannot leave the folder', async (t) => {
  const file = { bytes: 1, sha256: '0'.repeat(64) };
  for (const path of [
    '../x',
    '/etc/passwd',
    'a/../../x',
    'a\\..\\x',
    'a//b',
    './a',
    'a/',
    '',
    'C:x',
    'manifest.json',
    '.hidden',
    'a\0b',
  ]) {
    const problems = problemsOf((m) => (m.files[path] = file));
    t.equal(problems.length, 1, `files: ${JSON.stringify(path)}`);
    if (path !== 'manifest.json') t.ok(problemsOf((m) => (m.partitions[0].head = path)).length > 0, `head: ${path}`);
  }
});

t.test('several mistakes are all listed, and what is not an object is an error too', async (t) => {
  const problems = problemsOf((m) => {
    Object.assign(m, { format: 3 });
    Object.assign(m.input, { width: 'wide' });
    Reflect.deleteProperty(m.service, 'licence');
  });
  t.equal(problems.length, 3);
  for (const value of [null, [], 'text', 5, undefined])
    t.throws(() => validateManifest(value), { code: 'manifest_invalid' });
});
