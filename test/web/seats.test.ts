import t from 'tap';
import { LiveStore } from '../../edge/store/live.js';
import { Seats } from '../../edge/web/seats.js';
import { startWebServer } from '../../edge/web/server.js';

/** Takes a place; `ended` says with what words it was ended. */
function sit(seats: Seats, user: string) {
  const mine = { user, ended: '', seat: seats.take(user, (farewell) => (mine.ended = farewell)) };
  return mine;
}

t.test('one user’s forgotten tabs end, the oldest first, and nobody else’s', async (t) => {
  const seats = new Seats({ all: 100, user: 3 });
  const wall = sit(seats, 'wall');
  const tabs = Array.from({ length: 5 }, () => sit(seats, 'ada'));
  t.same(
    tabs.map(({ ended }) => ended !== ''),
    [true, true, false, false, false],
  );
  t.match(tabs[0].ended, /^event: end\ndata: \{"code":"user","message":"You have too many.*\}\n\n$/);
  t.equal(wall.ended, '');
  t.equal(seats.open, 4);
  t.match(seats.counts, { user: 2, room: 0, refused: 0 });
});

t.test(
  'where there is no room, who has the most makes some for who has fewer; among equals nobody is sent away',
  async (t) => {
    const seats = new Seats({ all: 4, user: 4 });
    const ada = Array.from({ length: 4 }, () => sit(seats, 'ada'));
    const wall = sit(seats, 'wall');
    t.ok(wall.seat, 'a wall screen is let in');
    t.match(ada[0].ended, /"code":"room"/);
    const again = sit(seats, 'wall');
    t.ok(again.seat);
    t.match(ada[1].ended, /"code":"room"/);
    t.notOk(sit(seats, 'wall').seat, 'two each: as fair as it gets');
    t.notOk(sit(seats, 'ada').seat);
    t.ok(sit(seats, 'bob').seat, 'one who has none yet');
    t.match(seats.counts, { room: 3, refused: 2 });
    t.equal(seats.open, 4);
  },
);

t.test('a place is free again when its stream is over, and counted once', async (t) => {
  const seats = new Seats({ all: 1, user: 2 });
  const first = sit(seats, 'ada');
  t.notOk(sit(seats, 'ada').seat);
  first.seat?.leave('slow');
  first.seat?.leave();
  const second = sit(seats, 'ada');
  t.ok(second.seat);
  seats.close();
  second.seat?.leave('slow');
  t.match(second.ended, /"code":"stopping"/);
  t.same(seats.counts, { user: 0, room: 0, slow: 1, stopping: 1, refused: 1 });
  t.equal(seats.open, 0);
});

t.test('pages and programs share the places, and hear why theirs ended', async (t) => {
  const seats = new Seats({ all: 3, user: 1 });
  const web = await startWebServer({ store: new LiveStore(), seats });
  t.teardown(() => web.close());
  const first = await fetch(`${web.url}api/events`);
  const second = await fetch(`${web.url}api/v1/stream`);
  t.equal(second.status, 200);
  t.match(await first.text(), /^data: .*\n\nevent: end\ndata: \{"code":"user",/, 'to its end');
  t.match(seats.counts, { user: 1 });
  seats.close();
  t.match(await second.text(), /event: end\ndata: \{"code":"stopping"/);
});
