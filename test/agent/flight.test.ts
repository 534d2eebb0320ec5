import t from 'tap';
import type { Picture } from '../../agent/camera/camera.js';
import { FlightControl } from '../../agent/pipeline/flight.js';

const picture = (name: string): Picture => ({
  data: new Uint8Array(0),
  width: 0,
  height: 0,
  sourceWidth: 1,
  sourceHeight: 1,
  capturedAt: 0,
  captureMs: 0,
  name,
});

/** Flights that end when told. */
function airport(limit: () => number) {
  const landed: (() => void)[] = [];
  const started: string[] = [];
  const control = new FlightControl(limit, (p) => {
    started.push(p.name as string);
    return new Promise((resolve) => landed.push(resolve));
  });
  return { control, started, land: () => landed.shift()?.() };
}

const soon = () => new Promise((resolve) => setImmediate(resolve));

t.test('at most two on their way; the newest wins; the rest is counted', async (t) => {
  const { control, started, land } = airport(() => 2);
  for (const name of ['a', 'b', 'c', 'd', 'e']) control.offer(picture(name));
  t.same(started, ['a', 'b']);
  t.equal(control.inFlight, 2);
  t.equal(control.superseded, 2, 'c and d');
  land();
  await soon();
  t.same(started, ['a', 'b', 'e']);
  land();
  land();
  await control.settled();
  t.equal(control.inFlight, 0);
});

t.test('room is told of when a picture would start at once', async (t) => {
  const { control, land } = airport(() => 1);
  await control.room();
  control.offer(picture('a'));
  let there = false;
  const room = control.room().then(() => {
    there = true;
  });
  await soon();
  t.equal(there, false);
  land();
  await room;
  t.equal(there, true);
});

t.test('a limit of none holds the newest back until it is lifted', async (t) => {
  let limit = 0;
  const { control, started, land } = airport(() => limit);
  control.offer(picture('a'));
  control.offer(picture('b'));
  t.same(started, []);
  limit = 2;
  control.poke();
  t.same(started, ['b']);
  land();
  await control.settled();
  t.equal(control.superseded, 1);
});

t.test('after stop nothing starts, what flies may land', async (t) => {
  const { control, started, land } = airport(() => 1);
  control.offer(picture('a'));
  control.offer(picture('b'));
  control.stop();
  control.offer(picture('c'));
  const settled = control.settled();
  land();
  await settled;
  t.same(started, ['a']);
  t.equal(control.superseded, 1, 'b; c was never taken');
  await control.room();
});

t.test('a picture that waited too long is dropped and counted', async (t) => {
  const started: string[] = [];
  let limit = 0;
  const fly = async (p: Picture) => void started.push(p.name as string);
  const control = new FlightControl(
    () => limit,
    fly,
    () => 5,
  );
  control.offer(picture('old'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  limit = 1;
  control.poke();
  t.equal(control.late, 1);
  control.offer(picture('new'));
  await control.settled();
  t.same(started, ['new']);
});

t.test('how long a picture may wait is asked when it could start', async (t) => {
  const started: string[] = [];
  let limit = 0;
  let most = 60_000;
  const fly = async (p: Picture) => void started.push(p.name as string);
  const control = new FlightControl(
    () => limit,
    fly,
    () => most,
  );
  control.offer(picture('a'));
  await new Promise((resolve) => setTimeout(resolve, 20));
  most = 5;
  limit = 1;
  control.poke();
  t.same(started, []);
  t.equal(control.late, 1);
});

t.test('the picture that waits can be dropped, and nobody has to wait for room', async (t) => {
  let limit = 0;
  const { control, started } = airport(() => limit);
  control.offer(picture('a'));
  let settled = false;
  void control.settled().then(() => {
    settled = true;
  });
  await soon();
  t.equal(settled, false);
  control.clear();
  await soon();
  t.equal(settled, true);
  t.equal(control.superseded, 1);
  const stop = new AbortController();
  const room = control.room(stop.signal);
  stop.abort();
  await room;
  await control.room(stop.signal);
  limit = 1;
  control.poke();
  t.same(started, []);
});
