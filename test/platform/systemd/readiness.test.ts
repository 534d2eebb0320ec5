import t from 'tap';
import { Readiness } from '../../../platform/systemd/readiness.js';

/** What a manager hears. */
function listening() {
  const said: string[] = [];
  const hear = (word: string) => () => void said.push(word);
  const notifier = { ready: hear('ready'), reloading: hear('reloading'), stopping: hear('stopping') };
  return { said, readiness: new Readiness(notifier) };
}

t.test('a configuration that is read again while it starts says nothing', async (t) => {
  const { said, readiness } = listening();
  readiness.reloading();
  readiness.settled();
  t.same(said, []);
  readiness.working();
  t.same(said, ['ready']);
  readiness.settled();
  t.same(said, ['ready'], 'once');
});

t.test('each RELOADING has its READY, when the work is done again', async (t) => {
  const { said, readiness } = listening();
  readiness.working();
  readiness.reloading();
  readiness.settled();
  t.same(said.splice(0), ['ready', 'reloading', 'ready']);
  readiness.reloading();
  readiness.resting();
  readiness.settled();
  readiness.reloading();
  t.same(said.splice(0), ['reloading'], 'it starts anew: what comes meanwhile changes nothing');
  readiness.working();
  t.same(said, ['ready']);
});

t.test('nothing comes after STOPPING', async (t) => {
  const { said, readiness } = listening();
  readiness.working();
  readiness.reloading();
  readiness.stopping();
  readiness.settled();
  readiness.working();
  readiness.reloading();
  t.same(said, ['ready', 'reloading', 'stopping']);
});
