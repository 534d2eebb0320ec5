import { connectAsync } from 'mqtt';
import t from 'tap';
import { loadAgentConfig } from '../../agent/config/config.js';
import { encodeDecisions } from '../../agent/pipeline/decisions.js';
import { AgentLink } from '../../agent/pipeline/link.js';
import { silentLog } from '../../platform/log.js';
import { DECISIONS_MAX_BYTES, parseDecisions } from '../../protocol/decision.js';
import { parseHealth } from '../../protocol/health.js';
import { decision, option } from '../deepcod/stand-in.js';
import { testAgent, testEdge, tinyBundle, until } from './rig.js';

const options = (count: number) => Array.from({ length: count }, (_, i) => option(`p${i}`, 100 + ((i * 7) % count)));

t.test('options go with the newest decision and with changes alone', async (t) => {
  const points = ['input', 'input', 'stage2', 'stage2', 'input', 'input', 'input'];
  const decisions = points.map((point, i) => decision(i, point, 'why', options(20)));
  decisions[6].rate = 2;
  const told = parseDecisions(Buffer.from(encodeDecisions('yard', 7, [...decisions, { ...decisions[6], frame: 7 }])));
  t.same(
    told.decisions.map((d) => d.options.length),
    [0, 0, 20, 0, 20, 0, 20, 20],
  );
  t.same(
    told.decisions.map(({ frame }) => frame),
    [0, 1, 2, 3, 4, 5, 6, 7],
  );
  t.same(parseDecisions(Buffer.from(encodeDecisions('yard', 7, []))).decisions, []);
});

t.test(
  'an answer keeps to its bytes: the oldest are left out; very many choices are cut to the cheapest',
  async (t) => {
    const flutter = Array.from({ length: 200 }, (_, i) =>
      decision(i, i % 2 ? 'input' : 'p399', 'ä'.repeat(200), options(400)),
    );
    const json = Buffer.from(encodeDecisions('yard', 7, flutter));
    t.ok(json.length <= DECISIONS_MAX_BYTES && json.length > 0.8 * DECISIONS_MAX_BYTES, `${json.length} bytes`);
    const { decisions } = parseDecisions(json);
    t.same(
      decisions.map(({ frame }) => frame),
      Array.from({ length: decisions.length }, (_, i) => 200 - decisions.length + i),
      'the newest',
    );
    t.ok(decisions.every((d) => d.options.length === 40));
    t.ok(decisions.every((d) => d.partition === 'input' || d.options.some(({ partition }) => partition === 'p399')));
    t.ok(decisions.at(-1)?.options.every(({ cost_ms }) => cost_ms < 140));
  },
);

t.test('an answer is not sent into a busy socket, nor soon after another', async (t) => {
  const edge = await testEdge();
  let asked = 0;
  const never = () => {};
  const config = loadAgentConfig({
    overrides: { device: 'yard', bundle: tinyBundle, broker: { url: edge.brokerUrl } },
  });
  const link = new AgentLink(
    () => config,
    () => ({ online: true }),
    { result: never, edge: never, partition: never, pong: never, up: never, down: never, explain: () => asked++ },
    silentLog,
  );
  await link.broker.ready(10_000);
  let waiting = 1;
  Object.defineProperty(link.broker, 'waitingBytes', { get: () => waiting });
  const client = await connectAsync(edge.brokerUrl);
  const ask = async () => {
    await client.publishAsync('deepcod/yard/command/explain', '{"last": 1}', { qos: 1 });
    await new Promise((resolve) => setTimeout(resolve, 200));
  };
  await ask();
  t.equal(asked, 0, 'a frame waits');
  waiting = 0;
  await ask();
  t.equal(asked, 1, 'asked again, it answers at once');
  for (let i = 0; i < 4; i++) await ask();
  t.equal(asked, 1);
  await new Promise((resolve) => setTimeout(resolve, 1300));
  await ask();
  t.equal(asked, 2);
  await client.endAsync();
  await link.close(1000);
  await edge.close();
});

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
  for (const nonsense of ['', '{"last": "x"}', 'null', '{"last": -5}']) {
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
