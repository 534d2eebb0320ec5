import { Charts } from './charts.js';
import { $, setHidden, setText } from './dom.js';
import { Model } from './model.js';
import { connect } from './stream.js';
import { empty, results, totals, trouble } from './tables.js';
import { Tiles } from './tiles.js';
import { Why } from './why.js';

/** Between two updates of charts and tables, ms: pictures are faster. */
const CALM_MS = 250;

const model = new Model();
const charts = new Charts();
const why = new Why();
const tiles = new Tiles((name) => {
  chosen = name;
  update();
});
let chosen = '';
let known = new Map();
let calmTimer = null;

function update() {
  const devices = model.sorted();
  if (!model.devices.has(chosen))
    chosen = devices.find((device) => model.present(device))?.name ?? devices[0]?.name ?? '';
  const layout = devices.length === 0 ? 'none' : devices.length === 1 ? 'one' : 'many';
  $('main').dataset.layout = layout;
  for (const id of ['devices', 'charts', 'results', 'trouble']) setHidden($(id), layout === 'none');
  if (layout === 'none') setHidden($('why'), true);
  setHidden($('totals'), layout === 'none');
  setHidden($('filter-box'), devices.length < 7);
  setText($('devices-title'), layout === 'one' ? 'Device' : 'Devices');
  tiles.update(model, chosen, $('filter').value.trim().toLowerCase());
  if (calmTimer !== null) return;
  calmTimer = setTimeout(() => {
    calmTimer = null;
    updateCalm();
  }, CALM_MS);
}

function updateCalm() {
  totals(model);
  empty(model);
  const device = model.devices.get(chosen);
  if (device) {
    setText(
      $('charts-of'),
      `${device.name}, last ${device.trips.length} frames${device.bundle ? `, bundle ${device.bundle.name}` : ''}`,
    );
    charts.update(device);
    why.update(device, model.now());
  }
  results(model, chosen);
  trouble(model);
  announce();
}

/** Says what changed for those who do not see it: devices that come and go. */
function announce() {
  const next = new Map([...model.devices.values()].map((device) => [device.name, model.present(device)]));
  const news = [];
  for (const [name, here] of next)
    if (known.get(name) !== here && (known.size > 0 || next.size < 4))
      news.push(`${name} is ${here ? 'online' : 'away'}`);
  for (const name of known.keys()) if (!next.has(name)) news.push(`${name} is gone`);
  known = next;
  if (news.length > 0) setText($('news'), news.slice(0, 4).join('. '));
  const away = [...next.values()].filter((here) => !here).length;
  document.title =
    next.size === 0 ? 'DeepCOD live' : `${away > 0 ? `${away} away, ` : ''}${next.size - away} online, DeepCOD live`;
}

$('filter').addEventListener('input', update);
// devices that fall silent say nothing: look now and then
setInterval(update, 5000);

connect(
  (message, first) => {
    model.take(message, first);
    update();
  },
  (state, words) => {
    const pill = $('connection');
    pill.dataset.state = state;
    setText(pill, words);
  },
);
