import mqtt, { type MqttClient } from 'mqtt';
import t, { type Test } from 'tap';
import type { Decision, DecisionOption, DecisionsMessage } from '../../protocol/index.js';
import { aedesBroker, freePort } from '../platform/brokers.js';
import { run, start } from '../platform/process.js';

const option = (partition: string, total: number, more: Partial<DecisionOption> = {}): DecisionOption => ({
  partition,
  rate: 1,
  bytes: 1500,
  device_ms: 20,
  link_ms: total - 50,
  edge_ms: 30,
  total_ms: total,
  cost_ms: total,
  ...more,
});

const decision = (frame: number, partition: string, why: string, options?: DecisionOption[]): Decision => ({
  frame,
  at: Date.UTC(2026, 10, 21, 12, 0, frame),
  partition,
  rate: 1,
  reason: 'better',
  why,
  link: { base_ms: 8.25, mbps: 4.125, harmonic_mbps: 3.5, transfers: 37 },
  device_slowdown: 1.3,
  edge_slowdown: 1,
  edge_queue_ms: 4,
  options: options ?? [option('input', 90), option('stage2', 80, { accuracy: 0.983 })],
});

/** Answers like an agent. */
async function standIn(t: Test, url: string, device: string, decisions: Decision[], session = 7) {
  const client: MqttClient = await mqtt.connectAsync(url, { protocolVersion: 4 });
  t.teardown(() => client.endAsync(true));
  const asked: unknown[] = [];
  client.on('message', (_, payload) => {
    const question = JSON.parse(payload.toString()) as { last: number };
    asked.push(question);
    const answer: DecisionsMessage = { v: 1, device, session, decisions: decisions.slice(-question.last) };
    client.publish(`deepcod/${device}/decisions`, JSON.stringify(answer));
  });
  await client.subscribeAsync(`deepcod/${device}/command/explain`);
  await client.publishAsync(`deepcod/${device}/status`, '{"online":true}', { retain: true, qos: 1 });
  return { client, asked };
}

async function broker(t: Test): Promise<string> {
  const made = await aedesBroker();
  await made.start();
  t.teardown(() => made.stop());
  return made.url;
}

const explain = (...args: string[]) => run('scripts/deepcod.js', ['explain', ...args]);

t.test('the latest decision with every option, and the changes before', async (t) => {
  const url = await broker(t);
  const options = [option('input', 90), option('device', 400), option('stage2', 80, { accuracy: 0.983 })];
  const { asked } = await standIn(t, url, 'yard-1', [
    decision(1, 'input', 'the first'),
    decision(2, 'stage2', 'stage2 became \u001b[31mbetter'),
    decision(3, 'stage2', 'stage2 stays the best', options),
  ]);
  const { code, output } = await explain('--broker', url, 'yard-1');
  t.equal(code, 0, output);
  t.same(asked, [{ last: 200 }]);
  const lines = output.split('\n');
  t.match(lines[0], /^yard-1, frame 3, \d\d:\d\d:\d\d: stage2\/1$/);
  t.equal(lines[1], '  stage2 stays the best');
  t.match(lines[2], /8\.3 ms \+ bytes \/ 4\.13 Mbit\/s after 37 transfers .* 3\.50/);
  t.match(lines[2], /device 1\.30 times .* edge 1\.00 times .*, 4\.0 ms of frames waiting/);
  t.match(lines[4], /point\/rate +bytes +device +link +edge +total ms +accuracy$/);
  t.match(lines[5], /^> stage2\/1 +1500 +20\.0 +30\.0 +30\.0 +80\.0 +0\.983$/);
  t.match(lines[6], /^ {2}input\/1 .* 90\.0 +-$/);
  t.match(lines[7], /^ {2}device +1500 .* 400\.0/);
  t.match(lines[10], /frame 2 +stage2\/1 +stage2 became \?\[31mbetter$/, 'nothing that steers the terminal');
  t.equal(lines.length, 12, 'nothing else changed');
});

t.test('energy and cost where they count; --last; --json', async (t) => {
  const url = await broker(t);
  const options = [option('stage2', 80, { energy_mj: 120.5, cost_ms: 95 }), option('input', 90)];
  const { asked } = await standIn(t, url, 'yard-1', [decision(1, 'input', 'x'), decision(2, 'stage2', 'y', options)]);
  const table = await explain('--broker', url, '--last', '1', 'yard-1');
  t.match(table.output, /energy mJ +cost ms/);
  t.match(table.output, /> stage2\/1 .* 80\.0 +120\.5 +95\.0/);
  t.notMatch(table.output, /changes before/);
  t.same(asked, [{ last: 1 }]);
  const json = await explain('--broker', url, '--json', 'yard-1');
  t.match(JSON.parse(json.output), { v: 1, device: 'yard-1', decisions: [{ frame: 1 }, { frame: 2 }] });
});

t.test('--follow shows each change, not what stays', async (t) => {
  const url = await broker(t);
  const decisions = [decision(1, 'input', 'the first')];
  const { asked } = await standIn(t, url, 'yard-1', decisions);
  const program = start('scripts/deepcod.js', ['explain', '--broker', url, '--follow', '--json', 'yard-1']);
  t.teardown(() => program.child.kill());
  await program.says(/"frame":1/);
  decisions.push(decision(2, 'input', 'the same'));
  while (asked.length < 3) await new Promise((resolve) => setTimeout(resolve, 50));
  t.notMatch(program.output(), /the same/);
  decisions.push(decision(3, 'stage2', 'better'));
  await program.says(/"frame":3/);
  program.child.kill('SIGINT');
  t.equal(await program.ended(), 0);
  t.equal(program.output().trim().split('\n').length, 2);
});

t.test('what is not there is said, with what to do', async (t) => {
  const url = await broker(t);
  const nobody = await explain('--broker', url, 'yard-1');
  t.equal(nobody.code, 2);
  t.match(nobody.output, /yard-1: no such device .*\nNo device has announced itself/);

  const { client } = await standIn(t, url, 'yard-1', []);
  t.match(await explain('--broker', url, 'yard-1'), { code: 0, output: /yard-1 has decided nothing yet/ });
  t.match(await explain('--broker', url, 'yrad-1'), { code: 2, output: /did you mean "yard-1"/ });
  t.match(await explain('--broker', url, '--base', 'other', 'yard-1'), { code: 2, output: /below "other"/ });

  await client.publishAsync('deepcod/yard-2/status', '{"online":false}', { retain: true, qos: 1 });
  t.match(await explain('--broker', url, 'yard-2'), { code: 5, output: /yard-2 is offline\nIs its agent running/ });

  await client.publishAsync('deepcod/yard-3/status', '{"online":true}', { retain: true, qos: 1 });
  const silent = await explain('--broker', url, 'yard-3');
  t.match(silent, { code: 5, output: /yard-3 does not answer\nIts agent may be older .* partition point is fixed/ });

  const away = await explain('--broker', `mqtt://127.0.0.1:${await freePort()}`, 'yard-1');
  t.match(away, { code: 5, output: /cannot be reached: connection refused\nIs the broker running/ });
});

t.test('an answer that cannot be read', async (t) => {
  const url = await broker(t);
  await standIn(t, url, 'yard-1', [{ ...decision(1, 'input', 'x'), frame: -1 }]);
  t.match(await explain('--broker', url, 'yard-1'), { code: 5, output: /yard-1: .*frame/ });
});

t.test('the configuration of an agent names broker, base and device', async (t) => {
  const url = await broker(t);
  const { client } = await standIn(t, url, 'yard-1', [decision(1, 'input', 'the first')]);
  const dir = t.testdir({ 'agent.yaml': `bundle: x\ndevice: yard-1\nbroker:\n  url: ${url}\n` });
  t.match(await explain('--config', `${dir}/agent.yaml`), { code: 0, output: /^yard-1, frame 1/ });
  t.match(await explain('--broker', url), { code: 2, output: /Which device\?/ });
  t.match(await explain('--broker', url, 'a/b'), { code: 2, output: /a\/b: 1 to 64/ });
  t.match(await explain('--broker', url, 'a', 'b'), { code: 2, output: /^usage: [\s\S]*b: what is this\?/ });
  t.match(await explain('--last', '0', 'a'), { code: 2, output: /--last 0: a whole number from 1 to 200/ });
  await client.endAsync();
});
