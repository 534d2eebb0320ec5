import { connectAsync } from 'mqtt';
import t from 'tap';
import { parseDecisions } from '../../protocol/decision.js';
import { parseHealth } from '../../protocol/health.js';
import { testAgent, testEdge, until } from './rig.js';

t.test('an agent tells its decisions when asked, and the latest with its health', async (t) => {
  const edge = await testEdge();
  const { agent, trips, stop } = await testAgent(edge.brokerUrl, { partition: 'auto' });
  const client = await connectAsync(edge.brokerUrl);
  const answers: Buffer[] = [];
  const health: Buffer[] = [];
  client.on('message', (topic, payload) => {
    if (topic === 'deepcod/yard/decisions') answers.push(payload);
    if (topic === 'deepcod/yard/health') health.push(payload);
  });
  await client.subscribeAsync(['deepcod/yard/decisions', 'deepcod/yard/health']);
  await until(() => trips.length > 20, 'frames');

  const ask = async (payload: string) => {
    const before = answers.length;
    await until(() => {
      client.publish('deepcod/yard/command/explain', payload);
      return answers.length > before;
    }, 'an answer');
    return parseDecisions(answers[answers.length - 1]);
  };
  const { decisions, session } = await ask('{"last": 3}');
  t.equal(session, agent.session);
  t.equal(decisions.length, 3);
  t.ok(decisions[0].frame < decisions[1].frame && decisions[1].frame < decisions[2].frame, 'oldest first');
  t.equal(decisions[2].options.length, agent.planner.choices.length);
  for (const nonsense of ['', '{', '{"last": "x"}', '[]', 'null', '{"last": -5}']) {
    t.equal((await ask(nonsense)).decisions.length, 1, `asked for ${nonsense}`);
  }
  await until(() => health.some((payload) => parseHealth(payload).decision !== undefined), 'health with a decision');
  t.match(parseHealth(health[health.length - 1]).decision, { why: String, link: { transfers: Number } });
  await client.endAsync();
  await stop();
  await edge.close();
});

t.test('an agent on its own sees by pings how the link is', async (t) => {
  const edge = await testEdge();
  const settings = { partition: 'auto', accuracy_floor: 0, profile: { device_scale: 1e-6, bandwidth_mbps: 0.001 } };
  const { agent, trips, stop } = await testAgent(edge.brokerUrl, settings);
  await until(() => trips.length > 20 && agent.planner.link.transfers > 2, 'pings');
  t.ok(
    trips.every(({ outcome }) => outcome === 'local'),
    'no frame was sent',
  );
  t.ok(agent.planner.link.bps > 0.01e6, 'the link is far better than was assumed');
  await stop();
  await edge.close();
});
