import t from 'tap';
import { freePort } from '../platform/brokers.js';
import { broker, decision, explain, standIn } from './stand-in.js';

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
  t.match(silent, { code: 5, output: /yard-3 does not answer\nIts link may be too busy .* older than this command/ });

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
