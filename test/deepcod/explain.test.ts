import t from 'tap';
import { testAgent, testEdge, until } from '../agent/rig.js';
import { start } from '../platform/process.js';
import { broker, decision, explain, option, standIn } from './stand-in.js';

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
  t.same(asked, [{ last: 50 }]);
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

t.test('a running agent answers', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const { trips, stop } = await testAgent(edge.brokerUrl, { partition: 'auto' });
  t.teardown(stop);
  await until(() => trips.length > 3, 'frames');
  const { code, output } = await explain('--broker', edge.brokerUrl, 'yard');
  t.equal(code, 0, output);
  t.match(output, /^yard, frame \d+, /);
  t.match(output, /^> (input\/\d|device) .*\n/m);
  t.match(output, /^ {2}(input\/\d|device) .*\n/m, 'and another option');
});

t.test('an agent whose partition point is fixed answers, too', async (t) => {
  const edge = await testEdge();
  t.teardown(() => edge.close());
  const { trips, stop } = await testAgent(edge.brokerUrl, { partition: 'device' });
  t.teardown(stop);
  await until(() => trips.length > 3, 'frames');
  t.match(await explain('--broker', edge.brokerUrl, 'yard'), {
    code: 0,
    output: /is the only choice the settings allow/,
  });
});

t.test('a device that is busy keeps silent, and is asked again', async (t) => {
  const url = await broker(t);
  const { asked } = await standIn(t, url, 'yard-1', [decision(1, 'input', 'the first')], 1);
  t.match(await explain('--broker', url, 'yard-1'), { code: 0, output: /^yard-1, frame 1/ });
  t.same(asked, [{ last: 50 }, { last: 50 }]);
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
  t.same(asked.slice(0, 2), [{ last: 50 }, { last: 10 }], 'a few after the first answer');
  decisions.push(decision(3, 'stage2', 'better'));
  await program.says(/"frame":3/);
  program.child.kill('SIGINT');
  t.equal(await program.ended(), 0);
  t.equal(program.output().trim().split('\n').length, 2);
});
