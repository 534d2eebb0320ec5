/**
 * An agent as another processor runs it, with an edge on this one: `node dist/test/arm/first-result.js COMMAND...`, where the
 * command runs Node.js there (the emulator, the program and the folder of the build). Exit code 1 without a result in time.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEdgeConfig } from '../../edge/config.js';
import { startEdge } from '../../edge/edge.js';
import { createLog } from '../../platform/log.js';
import { defaultBundle } from '../../platform/root.js';
import { isFailure } from '../../protocol/index.js';

/** Emulated and on a busy machine. */
const IN_TIME_MS = 180_000;

const [program, ...args] = process.argv.slice(2);
const bundle = defaultBundle();
const log = createLog('edge', 'warn');
const overrides = {
  bundles: [bundle],
  broker: { host: '127.0.0.1', port: 0 },
  web: { enabled: false },
  inference: { provider: 'cpu', measure: false },
  queue: { max_age_ms: 60_000 },
};
const edge = await startEdge(loadEdgeConfig({ overrides }), log);
const folder = mkdtempSync(join(tmpdir(), 'deepcod-arm-'));
const config = join(folder, 'agent.yaml');
writeFileSync(
  config,
  JSON.stringify({
    device: 'arm-1',
    broker: { url: edge.brokerUrl, keepalive_s: 600 },
    bundle,
    camera: { source: 'simulated', fps: 1 },
    partition: 'stage1',
    timeout_ms: 60_000,
    fallback: false,
    in_flight: 1,
  }),
);
const start = performance.now();
const agent = spawn(program, [...args, 'dist/agent/main.js', '--config', config], { stdio: ['ignore', 2, 2] });
const ended = once(agent, 'exit').then(([code, signal]) => `it ended with ${code ?? signal}`);
const result = new Promise<string>((resolve) => {
  edge.onAnswer(({ answer }) => {
    if (isFailure(answer)) resolve(`the edge refused its frame: ${JSON.stringify(answer)}`);
    else resolve(`result: frame ${answer.frame}, ${answer.detections.length} detections`);
  });
});
const late = new Promise<string>((resolve) => setTimeout(resolve, IN_TIME_MS, 'no result in time').unref());
const said = await Promise.race([result, ended, late]);
console.log(`${said} (${Math.round((performance.now() - start) / 1000)} s after the start, emulated)`);
agent.kill('SIGTERM');
const end = await ended;
await edge.close();
rmSync(folder, { recursive: true });
if (!said.startsWith('result') || end !== 'it ended with 0') {
  console.log(end);
  process.exitCode = 1;
}
