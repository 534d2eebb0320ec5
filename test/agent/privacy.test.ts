import { cp, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { loadAgentConfig } from '../../agent/config/config.js';
import { choicesFor } from '../../agent/partition/choices.js';
import { Planner } from '../../agent/partition/planner.js';
import { tellPrivacy } from '../../agent/partition/privacy.js';
import { newTrip } from '../../agent/pipeline/trip.js';
import type { DeepcodError } from '../../platform/errors.js';
import { createLog, type LogEvent } from '../../platform/log.js';
import type { Manifest } from '../../protocol/index.js';
import { run } from '../platform/process.js';
import { noiseCamera, testAgent, testEdge, tinyBundle } from './rig.js';

const flops = { prefix: 1e6, encoder: 1e6, decoder: 1e6, remainder: 1e9 };
const rates = [{ payload_bytes_mean: 500 }, { payload_bytes_mean: 2000 }];
const manifest = {
  service: { name: 'yard', flops: 4e9 },
  input: { width: 10, height: 10 },
  partitions: [
    { id: 'input', rates, flops, reveals: 0.97 },
    { id: 'stage1', rates, flops, reveals: 0.6 },
    { id: 'stage2', rates, flops, reveals: 0.4 },
    { id: 'stage3', rates, flops },
  ],
} as unknown as Manifest;
const settings = { partition: 'auto', rate: 'auto' as const, pictures: false, accuracy_floor: 0.97 };
const limit = (max_reveals?: number) => ({ ...settings, privacy: { max_reveals } });
const points = (max_reveals?: number) => [...new Set(choicesFor(manifest, limit(max_reveals)).map(({ id }) => id))];

function errorOf(make: () => unknown): Partial<DeepcodError> {
  try {
    make();
  } catch (error) {
    return error as DeepcodError;
  }
  return {};
}

t.test('points that reveal more than the limit, and those without a figure, cannot be chosen', async (t) => {
  t.same(points(), ['input', 'stage1', 'stage2', 'stage3', 'device'], 'no limit');
  t.same(points(1), ['input', 'stage1', 'stage2', 'device'], 'any limit forbids what nobody measured');
  t.same(points(0.6), ['stage1', 'stage2', 'device'], 'the limit itself is allowed');
  t.same(points(0.59), ['stage2', 'device']);
  t.same(points(0), ['device'], 'nothing may leave');
  const bare = { ...manifest, partitions: [] };
  t.same(
    choicesFor(bare, limit(0.9)).map(({ id }) => id),
    ['device'],
    'pixels reveal everything',
  );
  t.same(
    choicesFor(bare, limit(1)).map(({ id }) => id),
    ['raw', 'device'],
  );
});

t.test('the accuracy floor is looked for among what is allowed', async (t) => {
  const accuracy = (ap_relative: number) => ({ dataset: 'd', images: 1, ap_relative });
  const [input, , stage2] = manifest.partitions;
  const partitions = [
    { ...input, accuracy: accuracy(0.99) },
    { ...stage2, accuracy: accuracy(0.9) },
  ];
  const choices = choicesFor({ ...manifest, partitions }, limit(0.5));
  t.same(
    choices.map(({ id, rate }) => `${id}/${rate}`),
    ['stage2/0', 'stage2/1', 'device/0'],
    'the best that is allowed, not the best there is',
  );
});

t.test('a configured point that is forbidden is an error with key, value, and what is allowed', async (t) => {
  t.match(
    errorOf(() => choicesFor(manifest, { ...limit(0.6), partition: 'input' })),
    {
      code: 'partition_forbidden',
      exitCode: 2,
      message:
        'partition: "input" reveals 0.97; privacy.max_reveals: 0.6 forbids it; allowed: auto, stage1, stage2, device',
    },
  );
  t.match(
    errorOf(() => choicesFor(manifest, { ...limit(1), partition: 'stage3' })),
    {
      code: 'partition_forbidden',
      message: /"stage3" has no figure .* allowed: auto, raw, input, stage1, stage2, device/,
    },
  );
  t.match(
    errorOf(() => choicesFor(manifest, { ...limit(0.99), partition: 'raw' })),
    { code: 'partition_forbidden', message: /"raw" reveals 1;/ },
  );
  t.match(
    errorOf(() => choicesFor(manifest, { ...limit(0.1), partition: 'stage4' })),
    { code: 'partition_unknown' },
    'a slip is told as a slip',
  );
  t.same(
    choicesFor(manifest, { ...limit(0), partition: 'device' }).map(({ id }) => id),
    ['device'],
  );
  t.same(
    choicesFor(manifest, { ...limit(0.6), partition: 'stage1', rate: 1 }).map(({ id, rate }) => `${id}/${rate}`),
    ['stage1/1'],
  );
});

t.test('auto never picks a forbidden point, whatever times and link are', async (t) => {
  const picked = (max_reveals?: number): Record<string, number> => {
    const config = loadAgentConfig({ overrides: { bundle: 'x', privacy: { max_reveals } } });
    const planner = new Planner(manifest, config);
    const seen: Record<string, number> = {};
    let state = 1;
    const random = () => {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      return state / 2 ** 32;
    };
    for (let i = 0; i < 5000; i++) {
      const { choice } = planner.decide(i, 'use');
      seen[choice.id] = (seen[choice.id] ?? 0) + 1;
      // Whatever is allowed may be fast or slow, the link anything, and answers may lie about where they come from.
      const trip = newTrip(i, { capturedAt: performance.now(), captureMs: 0 } as never, performance.now());
      trip.partition = random() < 0.5 ? 'input' : choice.id;
      trip.rate = choice.rate;
      trip.outcome = choice.id === 'device' ? 'local' : 'result';
      trip.bytes = 1000;
      trip.answerBytes = 500;
      trip.edgeMs = random() * (choice.id === 'input' ? 1 : 400);
      Object.assign(trip.steps, {
        head: random() * (choice.id === 'device' ? 400 : 40),
        up: 10 ** (random() * 4 - 1),
        down: 1,
      });
      planner.learn(trip);
    }
    return seen;
  };
  t.ok(picked().input > 100, 'without a limit the input is picked');
  t.same(
    Object.keys(picked(0.6)).filter((id) => !['stage1', 'stage2', 'device'].includes(id)),
    [],
  );
  t.ok((picked(0.6).stage1 ?? 0) + (picked(0.6).stage2 ?? 0) > 100, 'what is allowed is used');
  t.same(Object.keys(picked(0.1)), ['device']);
});

t.test('the log says what a limit means', async (t) => {
  const events: LogEvent[] = [];
  const log = createLog('agent', 'debug', { write: (_, event) => events.push(event) });
  tellPrivacy(manifest, {}, log);
  t.same(events, [], 'no limit, no word');
  tellPrivacy(manifest, { max_reveals: 0.5 }, log);
  tellPrivacy(manifest, { max_reveals: 0.1 }, log);
  t.match(events, [
    {
      level: 'info',
      fields: {
        allowed: 'stage2, device',
        forbidden: /^raw \(reveals 1\), input \(reveals 0\.97\).*stage3 \(has no figure/,
      },
    },
    { level: 'warn', message: /no frame leave/ },
  ]);
});

t.test('an agent whose bundle has no figures keeps every frame, with an edge there', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const parts = { openCamera: noiseCamera(20), frames: 20 };
  const { done, trips } = await testAgent(edge.brokerUrl, { privacy: { max_reveals: 1 } }, parts);
  await done;
  t.equal(trips.length, 20);
  t.ok(trips.every(({ partition, outcome }) => partition === 'device' && outcome === 'local'));
  t.equal(edge.stats().frames, 0, 'the edge got none');
});

t.test('a forbidden partition in the configuration ends the agent with exit code 2', async (t) => {
  const dir = t.testdir({});
  const bundle = join(dir, 'bundle');
  await cp(tinyBundle, bundle, { recursive: true });
  const file = join(bundle, 'manifest.json');
  const content = JSON.parse(await readFile(file, 'utf8'));
  content.partitions[0].reveals = 0.9;
  await writeFile(file, JSON.stringify(content));
  const config = join(dir, 'agent.yaml');
  await writeFile(config, JSON.stringify({ bundle, partition: 'input', privacy: { max_reveals: 0.5 } }));
  const { code, output } = await run('agent/main.js', ['--config', config]);
  t.equal(code, 2);
  t.match(output, /partition: "input" reveals 0\.9; privacy\.max_reveals: 0\.5 forbids it; allowed: auto, device/);
  await writeFile(config, JSON.stringify({ bundle, privacy: { max_reveals: 1.5 } }));
  t.match(await run('agent/main.js', ['--config', config]), { code: 2, output: /privacy\.max_reveals: 1\.5/ });
});
