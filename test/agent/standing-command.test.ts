import { join } from 'node:path';
import { connectAsync } from 'mqtt';
import t from 'tap';
import { StandingCommand } from '../../agent/partition/standing-command.js';
import { AgentService } from '../../agent/service.js';
import { openBundle } from '../../platform/bundle.js';
import { createLog } from '../../platform/log.js';
import { silentNotifier } from '../../platform/systemd/notify.js';
import type { Decision } from '../../protocol/decision.js';
import { makeBundle } from '../update/world.js';
import { noiseCamera, testAgent, testConfig, testEdge, until } from './rig.js';

t.test('what ends a command', async (t) => {
  const settings = { partition: 'input', commands: true };
  const standing = new StandingCommand();
  t.equal(standing.under(settings), undefined);
  t.notOk(standing.settle(settings), 'there is none that could end');
  const command = { partition: 'stage2', rate: 1 };
  standing.give(command, settings);
  t.same(standing.under(settings), command);
  t.notOk(standing.settle(settings));
  t.equal(standing.under({ ...settings, partition: 'device' }), undefined, 'not under these');
  t.same(standing.under(settings), command, 'which were only asked about');
  t.ok(standing.settle({ ...settings, partition: 'device' }), 'but now they hold: the newer word');
  t.equal(standing.under(settings), undefined, 'and it does not come back');
  standing.give(command, settings);
  t.ok(standing.settle({ ...settings, commands: false }));
  t.equal(standing.under(settings), undefined);
  standing.give(command, settings);
  standing.give({ partition: 'auto' }, settings);
  t.equal(standing.under(settings), undefined);
  t.notOk(standing.settle(settings));
});

/** Sends a partition command to the device. */
async function commander(url: string) {
  const client = await connectAsync(url);
  return {
    send: (command: object) =>
      client.publishAsync('deepcod/yard/command/partition', JSON.stringify(command), { qos: 1 }),
    close: () => client.endAsync(),
  };
}

t.test('a command holds over other settings and another bundle', async (t) => {
  const edge = await testEdge();
  const operator = await commander(edge.brokerUrl);
  const running = await testAgent(
    edge.brokerUrl,
    { partition: 'input', commands: true },
    { openCamera: noiseCamera(undefined, 20) },
  );
  const { agent, trips, events } = running;
  const points = () => [...new Set(agent.planner.choices.map(({ id }) => id))];
  await until(() => trips.length > 0, 'a frame');
  await operator.send({ partition: 'device' });
  await until(() => points()[0] === 'device', 'the command');

  const change = (settings: object) => agent.applyConfig({ ...agent.config, ...settings });
  const folder = join(t.testdir({}), 'second');
  const id = await makeBundle(folder, { threshold: 0.4 });
  await agent.change(() => ({ ...agent.config, in_flight: 1 }), await openBundle(folder));
  t.equal(agent.bundle.id, id);
  t.equal(agent.config.in_flight, 1);
  t.same(points(), ['device']);
  const before = trips.length;
  await until(() => trips.length > before + 2, 'frames of the new bundle');
  t.equal(trips.at(-1)?.outcome, 'local');

  await change({ partition: 'raw' });
  t.same(points(), ['raw'], 'the settings say another: the newer word wins');
  t.ok(events.some(({ message }) => message.includes('no longer a command')));
  await operator.send({ partition: 'device' });
  await until(() => points()[0] === 'device', 'another command');
  await change({ commands: false });
  t.same(points(), ['raw'], 'nobody could take it back');
  await operator.send({ partition: 'device' });
  await change({ commands: true });
  await operator.send({ partition: 'input' });
  await until(() => points()[0] === 'input', 'commands again');
  await running.stop();
  await operator.close();
  await edge.close();
});

t.test('where it cannot be followed the settings choose, as long as that is so', async (t) => {
  const edge = await testEdge();
  const operator = await commander(edge.brokerUrl);
  const running = await testAgent(
    edge.brokerUrl,
    { partition: 'device', commands: true },
    { openCamera: noiseCamera(undefined, 20) },
  );
  const { agent, trips, events } = running;
  await until(() => trips.length > 0, 'a frame');
  await operator.send({ partition: 'raw' });
  await until(() => agent.planner.choices[0].id === 'raw', 'the command');
  const { privacy } = agent.config;
  await agent.applyConfig({ ...agent.config, privacy: { ...privacy, max_reveals: 0.5 } });
  t.equal(agent.planner.choices[0].id, 'device', 'privacy forbids it');
  t.ok(events.some(({ message }) => message.includes('what a command chose is not to be had')));
  await agent.applyConfig({ ...agent.config, privacy });
  t.equal(agent.planner.choices[0].id, 'raw', 'and no longer');
  await running.stop();
  await operator.close();
  await edge.close();
});

t.test('a command holds when a new configuration starts the agent anew', async (t) => {
  const edge = await testEdge();
  const operator = await commander(edge.brokerUrl);
  let fps = 20;
  const config = () =>
    testConfig(edge.brokerUrl, { partition: 'input', commands: true, camera: { fps }, in_flight: 1 });
  const decisions: Decision[] = [];
  let opened = 0;
  const camera = noiseCamera(undefined, 20);
  const service = new AgentService(config(), {
    log: createLog('agent', 'silent', { write: () => {} }),
    manager: silentNotifier,
    openCamera: (options, fit) => {
      opened++;
      return camera(options, fit);
    },
    onDecision: (decision) => decisions.push(decision),
    reread: config,
  });
  const done = service.run();
  await until(() => decisions.length > 0, 'a frame');
  await operator.send({ partition: 'device' });
  // Without an edge frames stay here too, for another reason.
  const commanded = () => decisions.some(({ partition, reason }) => partition === 'device' && reason === 'only');
  await until(commanded, 'the command');
  fps = 10;
  await service.reload();
  await until(() => opened === 2, 'the new agent');
  decisions.splice(0);
  await until(() => decisions.some(({ reason }) => reason === 'only'), 'decisions');
  t.same([...new Set(decisions.map(({ partition }) => partition))], ['device']);
  service.stop();
  await done;
  await operator.close();
  await edge.close();
});
