import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ConfigSchema, loadConfig, readSecret } from '../../platform/config.js';
import { DeepcodError } from '../../platform/errors.js';
import { brokerSchema } from '../../platform/mqtt.js';

const schema: ConfigSchema = {
  type: 'object',
  additionalProperties: false,
  required: ['name'],
  properties: {
    name: { type: 'string', pattern: '^[a-z]+$', description: 'lower-case letters' },
    models: { type: 'string', format: 'path', default: 'models' },
    hosts: { type: 'array', items: { type: 'string' } },
    rate: {
      anyOf: [{ const: 'auto' }, { type: 'integer', minimum: 0 }],
      default: 'auto',
      description: 'auto or 0, 1, ...',
    },
    camera: {
      type: 'object',
      additionalProperties: false,
      default: {},
      properties: {
        source: { enum: ['simulated', 'replay'], default: 'simulated' },
        fps: { type: 'number', exclusiveMinimum: 0, maximum: 60, default: 5 },
        loop: { type: 'boolean', default: false },
      },
    },
    broker: brokerSchema,
  },
};

interface Config {
  name: string;
  models: string;
  hosts?: string[];
  rate: 'auto' | number;
  camera: { source: string; fps: number; loop: boolean };
  broker: { url: string; version: string; keepalive_s: number };
}

const file = (test: Test, text: string) => join(test.testdir({ 'a.yaml': text }), 'a.yaml');

const failure = (run: () => unknown): DeepcodError => {
  try {
    run();
  } catch (error) {
    if (error instanceof DeepcodError) return error;
    throw error;
  }
  throw new Error('nothing was thrown');
};

t.test('defaults, then file, then environment, then overrides', async (t) => {
  const path = file(t, 'name: yard\ncamera:\n  fps: 3\n  loop: true\n');
  const plain = loadConfig<Config>(schema, { file: path });
  t.match(plain, { name: 'yard', rate: 'auto', camera: { source: 'simulated', fps: 3, loop: true } });
  t.equal(plain.broker.url, 'mqtt://127.0.0.1:1883');
  const env = {
    DEEPCOD_CAMERA_FPS: '4',
    DEEPCOD_CAMERA_LOOP: 'false',
    DEEPCOD_HOSTS: 'a, b',
    DEEPCOD_RATE: '2',
    HOME: '/',
  };
  const full = loadConfig<Config>(schema, { file: path, env, overrides: { camera: { fps: 9, source: undefined } } });
  t.match(full, { hosts: ['a', 'b'], rate: 2, camera: { source: 'simulated', fps: 9, loop: false } });
});

t.test('paths are taken from the folder of the file that names them', async (t) => {
  const path = file(t, 'name: yard\nmodels: ../m\n');
  t.equal(loadConfig<Config>(schema, { file: path }).models, join(path, '../../m'));
  t.equal(loadConfig<Config>(schema, { file: path, env: { DEEPCOD_MODELS: 'x' } }).models, join(process.cwd(), 'x'));
  t.equal(loadConfig<Config>(schema, { file: path, overrides: { models: '/abs' } }).models, '/abs');
});

t.test('everything wrong is listed with its line, its value and what is allowed', async (t) => {
  const path = file(
    t,
    [
      'name: Yard 1',
      'camera:',
      '  source: simulatd',
      '  fsp: 3',
      '  fps: fast',
      '  loop: "yes"',
      'rate: best',
      'brokr:',
      '  url: x',
    ].join('\n'),
  );
  const error = failure(() => loadConfig(schema, { file: path }));
  t.equal(error.code, 'config_invalid');
  t.equal(error.exitCode, 2);
  const lines = error.message
    .split('\n')
    .map((line) => line.replace(path, 'a.yaml'))
    .sort();
  t.same(lines, [
    'a.yaml:1: name: "Yard 1" is not allowed (lower-case letters)',
    'a.yaml:3: camera.source: "simulatd" is not allowed; did you mean "simulated"?',
    'a.yaml:4: camera.fsp: unknown key; did you mean "fps"?',
    'a.yaml:5: camera.fps: "fast" should be a number',
    'a.yaml:6: camera.loop: "yes" should be a boolean',
    'a.yaml:7: rate: "best" is not allowed (auto or 0, 1, ...)',
    'a.yaml:8: brokr: unknown key; did you mean "broker"?',
  ]);
});

t.test('limits, missing keys, and where a value came from', async (t) => {
  const path = file(t, 'camera: {fps: 0}\n');
  t.match(failure(() => loadConfig(schema, { file: path })).message, /a\.yaml:1: camera\.fps: 0 should be more than 0/);
  t.match(failure(() => loadConfig(schema, { file: path })).message, /name: missing: lower-case letters/);
  const env = { DEEPCOD_NAME: 'yard', DEEPCOD_CAMERA_FPS: 'often' };
  t.match(
    failure(() => loadConfig(schema, { file: path, env })).message,
    /^DEEPCOD_CAMERA_FPS: camera\.fps: "often" should be a number$/,
  );
  const overrides = { name: 'yard', camera: { fps: 61 } };
  t.match(
    failure(() => loadConfig(schema, { file: path, overrides })).message,
    /^command line: camera\.fps: 61 should be at most 60$/,
  );
  const broker = failure(() => loadConfig(schema, { overrides: { name: 'a', broker: { url: 'localhost' } } }));
  t.match(broker.message, /broker\.url: "localhost" is not allowed \(mqtt:\/\/host:1883/);
});

t.test('variables that name no key are pointed out', async (t) => {
  const said: string[] = [];
  loadConfig(schema, { env: { DEEPCOD_NAME: 'a', DEEPCOD_CAMRA_FPS: '3' }, warn: (message) => said.push(message) });
  t.same(said, ['DEEPCOD_CAMRA_FPS names no configuration key of this process; did you mean DEEPCOD_CAMERA_FPS?']);
});

t.test('files that cannot be used', async (t) => {
  t.match(
    failure(() => loadConfig(schema, { file: '/nowhere.yaml' })),
    { code: 'config_missing', exitCode: 2 },
  );
  const broken = failure(() => loadConfig(schema, { file: file(t, 'name: a\ncamera: [1,\n') }));
  t.equal(broken.code, 'config_syntax');
  t.match(broken.message, /a\.yaml:\d: /);
  const twice = failure(() => loadConfig(schema, { file: file(t, 'name: a\nname: b\n') }));
  t.match(twice.message, /a\.yaml:2: .*unique/i);
  t.match(failure(() => loadConfig(schema, { file: file(t, '- a\n') })).message, /keys and values/);
});

t.test('secrets come from files', async (t) => {
  const dir = t.testdir({});
  writeFileSync(join(dir, 'password'), 'geheim\n');
  t.equal(readSecret(join(dir, 'password'), 'the password'), 'geheim');
  t.match(
    failure(() => readSecret(join(dir, 'none'), 'the password')),
    { code: 'secret_unreadable', message: /the password/ },
  );
});
