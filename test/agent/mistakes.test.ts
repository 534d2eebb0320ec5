import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import sharp from 'sharp';
import t from 'tap';
import { run } from '../platform/process.js';
import { tinyBundle } from './rig.js';

t.test('mistakes end the agent with a documented code and say what to do', async (t) => {
  const dir = t.testdir({
    'wrong.yaml': 'bundle: x\ncamera:\n  fsp: 5\n  source: simulatd\n',
    empty: {},
    'replay.yaml': JSON.stringify({ bundle: tinyBundle, camera: { source: 'replay', input: 'empty' } }),
    'source.yaml': JSON.stringify({ bundle: tinyBundle, camera: { source: 'simulatd' } }),
  });
  const wrong = await run('agent/main.js', ['--config', join(dir, 'wrong.yaml')]);
  t.equal(wrong.code, 2);
  t.match(wrong.output, /wrong\.yaml:3: camera\.fsp: unknown key; did you mean "fps"\?/);

  t.match(await run('agent/main.js', ['--config', join(dir, 'none.yaml')]), {
    code: 2,
    output: /no such configuration file/,
  });
  t.match(await run('agent/main.js', ['--bundle', join(dir, 'empty')]), { code: 3, output: /no manifest\.json/ });
  t.match(await run('agent/main.js', ['--config', join(dir, 'replay.yaml')]), { code: 4, output: /no images/ });
  t.match(await run('agent/main.js', ['--config', join(dir, 'source.yaml')]), { code: 2, output: /simulated/ });
  const variable = await run('agent/main.js', ['--bundle', tinyBundle], { DEEPCOD_CAMERA_FPS: 'often' });
  t.match(variable, { code: 2, output: /DEEPCOD_CAMERA_FPS: camera\.fps: "often" should be a number/ });
});

t.test('a damaged JPEG among good ones is named and left out', async (t) => {
  const dir = t.testdir({ images: {} });
  const image = (red: number) =>
    sharp({ create: { width: 64, height: 48, channels: 3, background: { r: red, g: 20, b: 20 } } })
      .jpeg()
      .toBuffer();
  await writeFile(join(dir, 'images/a.jpg'), await image(250));
  await writeFile(join(dir, 'images/b.jpg'), (await image(250)).subarray(0, 200));
  await writeFile(join(dir, 'images/c.jpg'), await image(200));
  await writeFile(
    join(dir, 'agent.yaml'),
    JSON.stringify({
      bundle: tinyBundle,
      partition: 'device',
      camera: { source: 'replay', input: 'images', fps: 0, loop: false },
      log: { level: 'info' },
    }),
  );
  const { code, output } = await run('agent/main.js', ['--config', join(dir, 'agent.yaml')]);
  t.equal(code, 0, 'the end of the input is a good end');
  t.match(output, /b\.jpg/);
  t.equal((await readFile(join(dir, 'images/b.jpg'))).length, 200);
});
