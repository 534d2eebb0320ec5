import { Bars } from './chart.js';
import { changes, changeWords, lanes } from './decision.js';
import { $, h, refill, setHidden, setText } from './dom.js';
import { bytes, count, median, ms, place, text } from './format.js';
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
    read: ({ trip }) => `Frame ${trip.frame}: ${text(bytes(trip.bytes))} at ${place(trip.partition, trip.rate)}`,
    summary: () =>
      `Median ${text(bytes(median(this.#trips.map((trip) => trip.bytes))))}; point at a bar, or use the arrow keys`,
  });
  #latency = new Bars($('latency'), $('latency-read'), {
    unit: () => ['', 'ms'],
    tick: (value) => String(Number(value.toPrecision(3))),
    scale: 5,
    read: ({ trip }) => {
      const parts = STEPS.filter((step) => trip.steps[step] >= 0.05).map(
        (step) => `${step} ${trip.steps[step].toFixed(1)}`,
      );
      return `Frame ${trip.frame}: ${text(ms(total(trip)))} in all; ${parts.join(', ')} ms`;
    },
    summary: () => `Median ${text(ms(median(this.#trips.map(total))))} in all`,
  });
  #changes = [];
  #points = new Lanes($('points'), $('points-read'), {
    read: ({ trip, change }) =>
      change ? changeWords(change) : `Frame ${count(trip.frame)}: ${place(trip.partition, trip.rate)}`,
    summary: () => {
      const last = this.#changes.at(-1);
      return last ? `Last change: ${changeWords(last)}` : 'No change in these frames';
    },
  });

  constructor() {
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
      `Bytes per frame of the last ${sent.length} frames of ${device.name}: median ${text(bytes(median(sent.map((t) => t.bytes))))}`,
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
      `Time from picture to result of the last ${device.trips.length} frames of ${device.name}, stacked by step: median ${text(ms(median(device.trips.map(total))))}`,
    );
    const guessed = device.trips.some((trip) => !trip.exact);
    setHidden($('latency-note'), !guessed);
    setText($('latency-note'), guessed ? 'steps of device and network: medians that the device reports' : '');
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
      `Point and rate of the last ${trips.length} frames of ${name}: ${rows.map(({ words, frames }) => `${words} for ${frames}`).join('; ')}. ${this.#changes.length} changes, listed below`,
    );
    refill($('points-legend'), JSON.stringify(rows), () =>
      rows.map(({ words, colour, frames }) =>
        h('li', {}, swatch(colour), words, h('span', { class: 'quiet' }, `${frames}\u00d7`)),
      ),
    );
    const list = this.#changes.map(changeWords).reverse();
    setHidden($('changes'), list.length === 0);
    setText($('changes-title'), list.length === 1 ? '1 change, and why' : `${list.length} changes, and why`);
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
          h('tr', { class: 'side' }, h('th', { scope: 'rowgroup' }, side), h('td', {}, text(ms(sum)))),
          ...steps.map((step) =>
            h(
              'tr',
              {},
              h('th', { scope: 'row' }, swatch(`--step-${step}`), step),
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
