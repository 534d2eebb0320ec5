import t from 'tap';
import { covers, grantsOf } from '../../../edge/broker/grants.js';
import { discoveryDocument } from '../../../edge/integrations/home-assistant/document.js';
import { Topics } from '../../../protocol/index.js';

const topics = new Topics('site/deepcod');
const { write, read } = grantsOf('integration', { base: 'site/deepcod', discovery: 'ha' }, 'house');
const may = (granted: readonly string[], topic: string): boolean => granted.some((filter) => covers(filter, topic));

/** Every topic in a document: those that it commands, and those that it reads. */
function topicsIn(
  value: unknown,
  commands: string[] = [],
  reads: string[] = [],
): { commands: string[]; reads: string[] } {
  if (typeof value !== 'object' || value === null) return { commands, reads };
  for (const [key, inner] of Object.entries(value)) {
    if (key === 'cmd_t') commands.push(inner as string);
    else if (key === 't' || /_t$/.test(key)) reads.push(inner as string);
    else topicsIn(inner, commands, reads);
  }
  return { commands, reads };
}

t.test('an integration may do what the discovery messages offer, and no other command', async (t) => {
  const facts = {
    ...{ device: 'yard', service: 'worksite', classes: [{ label: 'head', key: 'head' }], choices: ['auto', 'input'] },
    ...{ temperature: true, wifi: true, picture: true },
  };
  const document = discoveryDocument(facts, { topics, worker: 'edge-1', version: '1' });
  const { commands, reads } = topicsIn(document);
  t.ok(commands.length > 0 && reads.includes(topics.homeAssistantPicture('yard')));
  for (const topic of commands) t.ok(may(write, topic), `writes ${topic}`);
  for (const topic of reads) t.ok(may(read, topic), `reads ${topic}`);
  const offered = new Set(commands);
  for (const command of ['partition', 'explain', 'capture', 'privacy', 'update', 'privacy/x']) {
    const topic = topics.command('yard', command);
    t.equal(may(write, topic), offered.has(topic), topic);
  }
  for (const topic of [topics.result('yard'), topics.frame('yard'), topics.health('yard'), 'site/deepcod/#']) {
    t.notOk(may(read, topic), topic);
  }
  t.notOk(may(write, 'ha/device/x/config'), 'it announces nothing itself');
});
