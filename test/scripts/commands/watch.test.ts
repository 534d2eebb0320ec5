import mqtt from 'mqtt';
import t from 'tap';
import type { HealthMessage } from '../../../protocol/health.js';
import type { FrameResult } from '../../../protocol/result.js';
import { LiveTable } from '../../../scripts/commands/watch/table.js';
import { noiseCamera, testAgent, testEdge } from '../../agent/rig.js';
import { aedesBroker, freePort } from '../../platform/brokers.js';
import { run, start } from '../../platform/process.js';

const watch = (...args: string[]) => run('scripts/deepcod.js', ['watch', ...args]);

const result = (frame: number, more: Partial<FrameResult> = {}): FrameResult => ({
  ...{ v: 1, session: 1, frame, bundle: '0123456789abcdef', partition: 'stage1', rate: 2, worker: 'shed' },
  ...{ width: 100, height: 100, edge_ms: { queue: 0, decode: 1, tail: 20, post: 1, total: 22.4 } },
  detections: [
    { class: 0, label: 'helmet', score: 0.5, box: [0, 0, 1, 1] },
    { class: 0, label: 'helmet', score: 0.92, box: [0, 0, 1, 1] },
    { class: 1, label: 'head', score: 0.71, box: [0, 0, 1, 1] },
  ],
  ...more,
});
const health = (more: Partial<HealthMessage>): HealthMessage => ({
  v: 1,
  device: 'yard',
  session: 1,
  uptime_s: 1,
  ...more,
});

t.test('the table: 80 columns, a heading a page, drops told when they grow', (t) => {
  let columns = 80;
  const table = new LiveTable(
    false,
    () => columns,
    () => new Date(2026, 10, 21, 18, 43, 2).getTime(),
  );
  t.same(table.take('yard', 'status', { online: true }), ['18:43:02 online']);
  t.same(table.take('yard', 'status', { online: true }), []);
  t.same(table.take('yard', 'health', health({ bytes_mean: 2995, steps_ms: { total: 81.2 }, drops: { late: 3 } })), []);
  const [heading, row] = table.take('yard', 'result', result(17));
  t.equal(heading, 'time       frame point         KB    ms  edge drops  found');
  t.equal(row, '18:43:02      17 stage1/2     3.0    81    22     3  2 helmet 0.92, 1 head 0.71');
  t.same(table.take('yard', 'health', health({ drops: { late: 5, timeout: 1 } })), [
    '18:43:02 lost: +2 late, +1 timeout',
  ]);
  const refused = {
    v: 1 as const,
    session: 1,
    frame: 18,
    bundle: '0123456789abcdef',
    worker: 'shed',
    error: { code: 'overloaded', message: 'x'.repeat(99) },
  };
  const [line] = table.take('yard', 'result', refused);
  t.match(line, /^18:43:02 {6}18 refused: overloaded x+…$/);
  t.equal(line.length, 80);
  columns = 60;
  t.equal(table.take('yard', 'result', result(19, { local: true, partition: 'device' }))[0].length, 60);
  t.same(table.take('yard', 'status', { online: false }), ['18:43:02 OFFLINE']);
  const lines = Array.from({ length: 40 }, (_, i) => table.take('yard', 'result', result(i)).length);
  t.equal(lines.filter((count) => count === 2).length, 2, 'the heading comes again');
  const several = new LiveTable(true, () => 80, Date.now);
  t.match(several.take('yard-with-a-long-name', 'result', result(1)), [/device/, /yard-with-a- {7}1 stage1/]);
  t.end();
});

t.test('live, once, as JSON; no broker, no results', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const agent = await testAgent(edge.brokerUrl, {}, { openCamera: noiseCamera(Number.POSITIVE_INFINITY, 50) });
  t.teardown(() => agent.stop());
  t.match(await watch('--broker', edge.brokerUrl, '--once', 'yard'), {
    code: 0,
    output: /frame point .*\n\d\d:\d\d:\d\d +\d+ \S+ /,
  });
  const json = await watch('--broker', edge.brokerUrl, '--once', '--json');
  t.match(
    json.output
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as object)
      .at(-1),
    { device: 'yard', kind: 'result', message: { v: 1 } },
  );
  const live = start('scripts/deepcod.js', ['watch', '--broker', edge.brokerUrl, 'yard']);
  await live.says(/\n(.*\n){4}/);
  live.child.kill('SIGINT');
  t.equal(await live.ended(), 0);
  t.match(await watch('--broker', `mqtt://127.0.0.1:${await freePort()}`), {
    code: 5,
    output: /cannot be reached: connection refused/,
  });
  t.match(await watch('--broker', edge.brokerUrl, 'a/b'), { code: 2 });
});

t.test('what is no message is told, and passed over', async (t) => {
  const broker = await aedesBroker();
  await broker.start();
  t.teardown(() => broker.stop());
  const client = await mqtt.connectAsync(broker.url, { protocolVersion: 4 });
  t.teardown(() => client.endAsync(true));
  const live = start('scripts/deepcod.js', ['watch', '--broker', broker.url]);
  const timer = setInterval(() => {
    client.publish('deepcod/yard/result', 'nonsense');
    client.publish('deepcod/yard/result', JSON.stringify(result(5)));
  }, 100);
  t.teardown(() => clearInterval(timer));
  await live.says(/yard: result: .*JSON/);
  await live.says(/ 5 stage1\/2/);
  live.child.kill('SIGTERM');
  t.equal(await live.ended(), 0);
});
