import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t from 'tap';
import { chooseProvider, knownProviders, type Trial, tryProvider } from '../../platform/inference/choose-provider.js';
import type { Provider } from '../../platform/inference/provider.js';
import { recordedLog } from '../edge/harness.js';

const no = (why: string): Trial => ({ ok: false, why });
/** Machines that are not here: what each provider would say on them. */
const machine = (trials: Partial<Record<Provider, Trial>>) => {
  const asked: Provider[] = [];
  const { log, events } = recordedLog();
  const choose = (wanted: Provider | 'auto') =>
    chooseProvider(wanted, log, {
      known: Object.keys(trials) as Provider[],
      attempt: async (provider) => {
        asked.push(provider);
        return trials[provider] as Trial;
      },
    });
  const said = () => events.map(({ message, fields }) => `${message} ${JSON.stringify(fields ?? {})}`).join('\n');
  return { choose, asked, said };
};

t.test('auto takes the first that runs, and says why not the others (stand-ins for the machines)', async (t) => {
  const gpu = machine({
    tensorrt: no('Failed to load shared library'),
    cuda: { ok: true, ms: 0.2 },
    webgpu: { ok: true, ms: 0.4 },
    cpu: { ok: true, ms: 3 },
  });
  t.equal(await gpu.choose('auto'), 'cuda');
  t.match(gpu.said(), /models run on cuda.*tensorrt: Failed to load shared library/);
  t.notOk(gpu.asked.includes('webgpu'));

  const none = machine({
    cuda: no('it crashed (SIGSEGV)'),
    webgpu: no('No supported adapters'),
    cpu: { ok: true, ms: 3 },
  });
  t.equal(await none.choose('auto'), 'cpu');
  t.match(none.said(), /models run on cpu.*cuda: it crashed \(SIGSEGV\); webgpu: No supported adapters/);

  const software = machine({ webgpu: { ok: true, ms: 40 }, cpu: { ok: true, ms: 3 } });
  t.equal(await software.choose('auto'), 'cpu');
  t.match(software.said(), /webgpu: runs, but takes 40 ms where the processor takes 3 ms/);
});

t.test('one that is named must run: else an error that says what to do', async (t) => {
  const gpu = machine({ cuda: { ok: true, ms: 0.2 }, cpu: { ok: true, ms: 3 } });
  t.equal(await gpu.choose('cuda'), 'cuda');
  t.equal(await gpu.choose('cpu'), 'cpu');
  await t.rejects(gpu.choose('coreml'), { code: 'provider_unavailable', exitCode: 2, message: /no part for it/ });
  const none = machine({ cuda: no('Failed to load shared library'), cpu: { ok: true, ms: 3 } });
  await t.rejects(none.choose('cuda'), {
    code: 'provider_unavailable',
    message: /Failed to load/,
    hint: /scripts\/install-cuda/,
  });
});

t.test('here, really: the processor runs the model and computes what is right', async (t) => {
  t.ok((await knownProviders()).includes('cpu'));
  const trial = await tryProvider('cpu');
  t.ok(trial.ok && trial.ms > 0, JSON.stringify(trial));
});

t.test('a probe that crashes, hangs or leaves without a word is a finding, not the end', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'deepcod-probe-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const program = (name: string, text: string): URL => {
    writeFileSync(join(folder, `${name}.mjs`), text);
    return pathToFileURL(join(folder, `${name}.mjs`));
  };
  t.match(await tryProvider('cuda', program('abort', 'process.abort();')), { ok: false, why: /crashed \(SIGABRT\)/ });
  t.match(await tryProvider('cuda', program('exit', 'process.exit(3);')), {
    ok: false,
    why: /crashed \(exit code 3\)/,
  });
  const hangs = program('hang', 'setInterval(() => {}, 1000);');
  t.match(await tryProvider('cuda', hangs, 500), { ok: false, why: /no answer within 0.5 s/ });
  const talks = program('talk', `process.send({ ok: false, why: '${'x'.repeat(10)}' });`);
  t.match(await tryProvider('cuda', talks), { ok: false, why: 'xxxxxxxxxx' });
});
