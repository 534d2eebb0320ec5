import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../../../../platform/root.js';
import { defineCheck } from '../check.js';
import type { RuntimeAnswer } from '../child.js';
import { boardModel } from '../environment.js';

const LEAST_NODE = [20, 15];
/** Versions that are tested. */
const NODES = [20, 22, 24];

export const runtimeCheck = defineCheck({
  name: 'runtime',
  title: 'Node.js and ONNX Runtime',
  group: 'model',
  timeoutMs: 8000,
  gives: ['runtime'],
  findings: {
    runtime_ok: {
      status: 'pass',
      means: 'Node.js is of a version that is tested, and ONNX Runtime of the pinned version loads.',
    },
    node_old: {
      status: 'failure',
      symptom: 'silent',
      means: 'Node.js is too old for this software.',
      todo: '`sudo apt update && sudo apt install nodejs` (Raspberry Pi OS trixie brings 20); version 20.15 or newer is needed.',
    },
    node_untested: {
      status: 'warning',
      means: 'This version of Node.js is not among those that this software is tested with (20, 22, 24).',
      todo: '`sudo apt install nodejs` installs a tested one on Raspberry Pi OS.',
    },
    system_32_bit: {
      status: 'failure',
      symptom: 'silent',
      means: 'A 32-bit system: ONNX Runtime exists for 64-bit ARM only.',
      todo: 'Flash Raspberry Pi OS (64-bit); `uname -m` must say aarch64.',
    },
    runtime_illegal_instruction: {
      status: 'failure',
      symptom: 'silent',
      means:
        'ONNX Runtime ends with an illegal instruction (SIGILL): this build uses instructions that the processor does not have. Version 1.21.0 does so on a Raspberry Pi 4.',
      todo: 'Install the pinned version again: `sudo apt install --reinstall deepcod`, or `npm ci` in the checkout.',
    },
    runtime_crash: {
      status: 'failure',
      symptom: 'silent',
      means: 'ONNX Runtime ends the process when it is loaded.',
      todo: 'Install again: `sudo apt install --reinstall deepcod`, or `npm ci` in the checkout. If it stays, send the archive.',
    },
    runtime_missing: {
      status: 'failure',
      symptom: 'silent',
      means: 'ONNX Runtime cannot be loaded: its files are missing or of another system.',
      todo: 'Install again: `sudo apt install --reinstall deepcod`, or `npm ci` in the checkout (never copy node_modules from another machine).',
    },
    runtime_version: {
      status: 'failure',
      means:
        'Another version of ONNX Runtime than the pinned one: times and even results may differ, and some versions crash on some boards.',
      todo: '`sudo apt install --reinstall deepcod`, or `npm ci` in the checkout.',
    },
  },
  async run({ env, known, tell }) {
    const [major, minor] = env.node.version.split('.').map(Number);
    if (major < LEAST_NODE[0] || (major === LEAST_NODE[0] && minor < LEAST_NODE[1])) {
      return tell('node_old', `Node.js ${env.node.version}`, { node: env.node.version });
    }
    if (env.node.arch === 'arm' || env.node.arch === 'ia32')
      return tell('system_32_bit', `Node.js for ${env.node.arch}`);
    if (!NODES.includes(major)) tell('node_untested', `Node.js ${env.node.version}`, { node: env.node.version });

    const { code, signal, stdout, stderr } = await env.run(env.node.path, [env.child, 'runtime'], 7000);
    if (signal === 'SIGILL') {
      const board = (await boardModel(env)) ?? 'this processor';
      return tell('runtime_illegal_instruction', `illegal instruction on ${board}`, { signal });
    }
    if (signal) return tell('runtime_crash', `its process ended with ${signal}`, { signal });
    if (code !== 0) return tell('runtime_missing', stderr.trim().split('\n')[0] || `exit code ${code}`);
    known.runtime = true;
    const { version } = JSON.parse(stdout) as RuntimeAnswer;
    const wanted = pinned();
    if (version !== wanted)
      return tell('runtime_version', `ONNX Runtime ${version}; pinned is ${wanted}`, { version, wanted });
    if (NODES.includes(major)) {
      tell('runtime_ok', `Node.js ${env.node.version}, ONNX Runtime ${version}`, { node: env.node.version, version });
    }
  },
});

function pinned(): string {
  const { dependencies } = JSON.parse(readFileSync(join(packageRoot(), 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>;
  };
  return dependencies['onnxruntime-node'];
}
