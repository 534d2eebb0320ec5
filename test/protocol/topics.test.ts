import t from 'tap';
import { isDeviceName, Topics } from '../../protocol/index.js';

const topics = new Topics();

t.test('built and read back', async (t) => {
  t.equal(topics.frame('cam-1'), 'deepcod/cam-1/frame');
  for (const kind of ['frame', 'result', 'status', 'health'] as const) {
    t.same(topics.parse(topics[kind]('cam_1')), { kind, device: 'cam_1' });
  }
  t.same(topics.parse(topics.command('cam', 'rate/set')), { kind: 'command', device: 'cam', command: 'rate/set' });
  t.same(topics.parse(topics.edgeStatus('e1')), { kind: 'edge-status', worker: 'e1' });
  t.same(topics.parse(topics.frameTo('cam', 'w-1')), { kind: 'frame', device: 'cam', worker: 'w-1' });
  t.equal(topics.filters.framesTo('w-1'), 'deepcod/+/frame/w-1');
  const deep = new Topics('site/hall-2');
  t.equal(deep.health('a'), 'site/hall-2/a/health');
  t.same(deep.parse('site/hall-2/a/health'), { kind: 'health', device: 'a' });
  t.equal(deep.filters.allFramesShared('edge'), '$share/edge/site/hall-2/+/frame');
});

t.test('names that could change a topic are refused', async (t) => {
  for (const name of ['', 'a/b', '+', '#', 'a b', 'é', 'x'.repeat(65), 'edge', 'a\0', '$SYS']) {
    t.throws(() => topics.frame(name), { code: 'topic_invalid' }, JSON.stringify(name));
    t.notOk(isDeviceName(name));
  }
  for (const base of ['', '/', 'a/', '/a', '$share/edge/x', 'a//b', 'a/+', 'a/b/c/d/e/f/g']) {
    t.throws(() => new Topics(base), { code: 'topic_invalid' }, base);
  }
  t.throws(() => topics.command('a', '../x'), { code: 'topic_invalid' });
  t.throws(() => topics.edgeStatus('a/b'), { code: 'topic_invalid' });
  t.throws(() => topics.frameTo('a', '+'), { code: 'topic_invalid' });
  t.throws(() => topics.filters.framesTo('#'), { code: 'topic_invalid' });
  t.throws(() => topics.filters.allFramesShared('a/b'), { code: 'topic_invalid' });
});

t.test('topics that are not ours are none, and never an exception', async (t) => {
  const strange = ['', 'deepcod', 'deepcod/', 'deepcod/a', 'other/a/frame', 'deepcod/a/frame/x y', 'deepcod/a/unknown'];
  strange.push(
    'deepcod/edge/frame',
    'deepcod/edge/w/status/x',
    'deepcod/a b/frame',
    'deepcod/a/command',
    'deepcod/a/frame/w/x',
    'deepcod/a/result/w',
    'deepcod/edge',
  );
  strange.push('deepcod/a/command/', `deepcod/${'x/'.repeat(10000)}`, 'deepcod//frame', 'deepcodx/a/frame');
  for (const topic of strange) t.equal(topics.parse(topic), undefined, topic.slice(0, 40));
});

t.test('an answer goes to the device that asked, whatever response topic it names', async (t) => {
  t.equal(topics.answer('cam'), 'deepcod/cam/result');
  t.equal(topics.answer('cam', 'deepcod/cam/result/7'), 'deepcod/cam/result/7');
  for (const other of [
    'deepcod/other/result',
    'deepcod/cam/command/reboot',
    'deepcod/cam/result/#',
    'deepcod/cam/resultx',
    '$SYS/x',
  ]) {
    t.equal(topics.answer('cam', other), 'deepcod/cam/result', other);
  }
});
