import { $, h, refill, setHidden, setText } from '../parts/dom.js';
import { bytes, median, ms, place, text } from '../parts/format.js';
import { t } from '../t.js';
import { Bars } from './chart.js';
import { changes, changeWords, lanes } from './decision.js';
import { Lanes } from './lanes.js';
import { STEPS, total, WHERE } from './model.js';

const key = (trip) => `${trip.session}/${trip.frame}`;
const PART_COLOURS = 6;

/** The charts of one device: bytes by partition point, time by step, point and rate in use; with the legends that are also their tables. */
export class Charts {
  #trips = [];
  /** A partition point keeps its colour while the page is open. */
  #partitions = new Map();
  #bytes = new Bars($('bytes'), $('bytes-read'), {
    unit: (top) => bytes(top),
    tick: (value, top) => inUnitOf(value, top),
    scale: 10,
    read: ({ trip }) =>
      t('charts.bytes_read', {
        frame: String(trip.frame),
        bytes: text(bytes(trip.bytes)),
        place: place(trip.partition, trip.rate),
      }),
    summary: () => t('charts.bytes_summary', { median: text(bytes(median(this.#trips.map((trip) => trip.bytes)))) }),
  });
  #latency = new Bars($('latency'), $('latency-read'), {
    unit: () => ['', 'ms'],
    tick: (value) => String(Number(value.toPrecision(3))),
    scale: 5,
    read: ({ trip }) => {
      const parts = STEPS.filter((step) => trip.steps[step] >= 0.05).map(
        (step) => `${t(`step.${step}`)} ${trip.steps[step].toFixed(1)}`,
      );
      return t('charts.time_read', {
        frame: String(trip.frame),
        total: text(ms(total(trip))),
        parts: parts.join(', '),
      });
    },
    summary: () => t('charts.time_summary', { median: text(ms(median(this.#trips.map(total)))) }),
  });
  #changes = [];
  #points = new Lanes($('points'), $('points-read'), {
    read: ({ trip, change }) =>
      change
        ? changeWords(change)
        : t('charts.point_read', { frame: trip.frame, place: place(trip.partition, trip.rate) }),
    summary: () => {
      const last = this.#changes.at(-1);
      return last ? t('charts.last_change', { change: changeWords(last) }) : t('charts.no_change');
    },
  });

  /** @param signal ends what the charts listen to */
  constructor(signal) {
    for (const plot of [this.#bytes, this.#latency, this.#points]) plot.listen(signal);
    this.#latency.leads(this.#points);
    this.#points.leads(this.#latency);
  }

  update(device) {
    this.#trips = device.trips;
    const sent = device.trips.filter((trip) => trip.bytes > 0 || trip.partition === 'device');
    for (const { partition } of device.trips) {
      if (!this.#partitions.has(partition))
        this.#partitions.set(partition, `--part-${this.#partitions.size % PART_COLOURS}`);
    }
    const colour = (trip) => this.#partitions.get(trip.partition);
    this.#bytes.update(
      sent.map((trip) => ({
        key: key(trip),
        frame: trip.frame,
        trip,
        parts: [{ colour: colour(trip), value: trip.bytes }],
      })),
      t('charts.bytes_label', {
        n: sent.length,
        name: device.name,
        median: text(bytes(median(sent.map((trip) => trip.bytes)))),
      }),
    );
    const inUse = [...new Set(device.trips.map((trip) => trip.partition))];
    refill($('bytes-legend'), inUse.join(), () =>
      inUse.map((partition) => h('li', {}, swatch(this.#partitions.get(partition)), partition)),
    );
    this.#latency.update(
      device.trips.map((trip) => ({
        key: key(trip),
        frame: trip.frame,
        trip,
        parts: STEPS.map((step) => ({ colour: `--step-${step}`, value: trip.steps[step] ?? 0 })),
      })),
      t('charts.time_label', {
        n: device.trips.length,
        name: device.name,
        median: text(ms(median(device.trips.map(total)))),
      }),
    );
    const guessed = device.trips.some((trip) => !trip.exact);
    setHidden($('latency-note'), !guessed);
    setText($('latency-note'), guessed ? t('charts.guessed') : '');
    this.#steps();
    this.#choices(device);
  }

  /** Point and rate of each frame, below the time it took. */
  #choices({ name, trips, reasons }) {
    const inUse = lanes(trips);
    const rows = inUse.map(({ partition, rate, frames }) => ({
      name: partition === 'raw' || partition === 'device' ? partition : `${partition}/${rate}`,
      words: place(partition, rate),
      colour: this.#partitions.get(partition),
      frames,
    }));
    const places = new Map(inUse.map(({ partition, rate }, i) => [`${partition}/${rate}`, i]));
    this.#changes = changes(trips, reasons);
    const byTrip = new Map(this.#changes.map((change) => [change.trip, change]));
    const left = this.#points.leftFor(rows);
    this.#points.left = left;
    this.#latency.left = left;
    this.#points.updateLanes(
      rows,
      trips.map((trip) => ({
        key: key(trip),
        frame: trip.frame,
        trip,
        lane: places.get(`${trip.partition}/${trip.rate}`),
        change: byTrip.get(trip),
      })),
      t('charts.points_label', {
        n: trips.length,
        name,
        points: rows.map(({ words, frames }) => t('charts.points_one', { place: words, n: frames })).join('; '),
        changes: this.#changes.length,
      }),
    );
    refill($('points-legend'), JSON.stringify(rows), () =>
      rows.map(({ words, colour, frames }) =>
        h('li', {}, swatch(colour), words, h('span', { class: 'quiet' }, `${frames}\u00d7`)),
      ),
    );
    const list = this.#changes.map(changeWords).reverse();
    setHidden($('changes'), list.length === 0);
    setText($('changes-title'), t('charts.changes', { n: list.length }));
    refill($('changes-list'), list.join('\n'), () => list.map((words) => h('li', {}, words)));
  }

  /** The legend that is also the table: each step's median, with the sum of each side. */
  #steps() {
    const medians = new Map(STEPS.map((step) => [step, median(this.#trips.map((trip) => trip.steps[step]))]));
    refill($('steps'), JSON.stringify([...medians.values()].map((value) => text(ms(value)))), () => [
      $('steps').querySelector('caption'),
      ...['device', 'network', 'edge'].map((side) => {
        const steps = STEPS.filter((step) => WHERE[step] === side);
        const sum = median(this.#trips.map((trip) => steps.reduce((all, step) => all + (trip.steps[step] ?? 0), 0)));
        return h(
          'tbody',
          {},
          h('tr', { class: 'side' }, h('th', { scope: 'rowgroup' }, t(`side.${side}`)), h('td', {}, text(ms(sum)))),
          ...steps.map((step) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, swatch(`--step-${step}`), t(`step.${step}`)),
              h('td', {}, text(ms(medians.get(step)))),
            ),
          ),
        );
      }),
    ]);
  }
}

/** Colours come from the style sheet: the page's policy allows no style attributes, and themes stay in one place. */
function swatch(variable) {
  const element = h('span', { class: 'swatch', 'aria-hidden': 'true' });
  element.style.background = `var(${variable})`;
  return element;
}

function inUnitOf(value, top) {
  const [, unit] = bytes(top);
  const divisor = { B: 1, KB: 1e3, MB: 1e6 }[unit] ?? 1;
  return String(Number((value / divisor).toPrecision(3)));
}
