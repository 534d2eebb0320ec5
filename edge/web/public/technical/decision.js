import { ms, place, text } from '../parts/format.js';
import { t } from '../t.js';

/** What a device's decisions say, in figures and words: nothing here touches the page. */

/** Options in the table unless all are asked for. */
export const FEW = 8;
/** Bars end at so many times the quickest option: one that takes minutes must not flatten all others. */
const CUT = 4;

export const same = (a, b) => a.partition === b.partition && a.rate === b.rate;

/** Newest decision of the process that runs now; one of an earlier start says nothing of this one. */
export function current({ decision, health, trips }) {
  if (!decision) return undefined;
  const session = trips.at(-1)?.session ?? health?.session;
  return session === undefined || decision.session === session ? decision : undefined;
}

/**
 * What has to be said plainly, if anything: that results are made on the device, and why; that results wait.
 * @returns {{local: string, waiting: string}} sentences, or empty
 */
export function standing(device) {
  return { local: local(device), waiting: waiting(device.health?.waiting_results) };
}

function local(device) {
  if (device.trips.at(-1)?.partition !== 'device') return '';
  const decision = current(device);
  if (decision?.reason === 'no_edge') return t('standing.no_edge');
  return t(decision?.partition === 'device' ? 'standing.chosen' : 'standing.local');
}

function waiting(results = 0) {
  if (results <= 0) return '';
  return t('standing.waiting', { n: results });
}

/** The link as the device sees it. @returns {string[]} the model, and what it rests on */
export function linkWords({ link: { base_ms, mbps, harmonic_mbps, transfers } }) {
  return [`${text(ms(base_ms))} + ${rate(mbps)}`, t('link.rests', { n: transfers, mean: rate(harmonic_mbps) })];
}

function rate(mbps) {
  if (mbps >= 1000) return `${short(mbps / 1000)}\u202fGbit/s`;
  return mbps >= 1 ? `${short(mbps)}\u202fMbit/s` : `${short(mbps * 1000)}\u202fkbit/s`;
}

const short = (value) => (value < 9.95 ? value.toFixed(1) : String(Math.round(value)));

/** @param factor how many times slower than profiled @returns {string[]} `1.6× slower`, `than profiled` */
export function slowness(factor) {
  if (!Number.isFinite(factor)) return ['–'];
  if (factor >= 1.05) return [t('slowness.slower', { factor: factor.toFixed(1) }), t('slowness.than')];
  if (factor > 0 && factor <= 0.95)
    return [t('slowness.faster', { factor: (1 / factor).toFixed(1) }), t('slowness.than')];
  return [t('slowness.as')];
}

/**
 * The options as the table shows them: what costs least first, cut to a few unless all are wanted; the chosen one always.
 * @returns {{rows: {option, name, chosen}[], hidden: number, top: number, cut: boolean}} `top`: where bars end, ms;
 *   `cut`: whether one is longer
 */
export function optionRows(decision, all = false) {
  const sorted = decision.options.toSorted((a, b) => a.cost_ms - b.cost_ms);
  const rows = sorted
    .map((option) => ({ option, name: place(option.partition, option.rate), chosen: same(option, decision) }))
    .filter(({ chosen }, at) => all || at < FEW || chosen);
  const times = rows.map(({ option }) => option.total_ms);
  const longest = Math.max(...times);
  const top = Math.min(longest, CUT * Math.max(Math.min(...times), 1));
  return { rows, hidden: sorted.length - rows.length, top, cut: longest > top };
}

/** Shares of a bar's length that the device, the link and the edge take, 0 to 1; what lies beyond `top` is cut off. */
export function shares({ device_ms, link_ms, edge_ms }, top) {
  let left = 1;
  return [device_ms, link_ms, edge_ms].map((time) => {
    const share = top > 0 ? Math.min(left, time / top) : 0;
    left -= share;
    return share;
  });
}

/** Points and rates that were in use, each once: points in the order of first use, a point's rates in order. */
export function lanes(trips) {
  const points = [...new Set(trips.map((trip) => trip.partition))];
  const found = new Map(trips.map(({ partition, rate }) => [`${partition}/${rate}`, { partition, rate, frames: 0 }]));
  for (const { partition, rate } of trips) found.get(`${partition}/${rate}`).frames++;
  return [...found.values()].sort(
    (a, b) => points.indexOf(a.partition) - points.indexOf(b.partition) || a.rate - b.rate,
  );
}

/**
 * Where the point or the rate changed, oldest first.
 * @returns {{trip, from, why: string}[]} `why`: the reason that the device gave, or that it is not known
 */
export function changes(trips, reasons) {
  const at = trips.flatMap((trip, i) => (i > 0 && !same(trip, trips[i - 1]) ? [i] : []));
  return at.map((i, n) => ({ trip: trips[i], from: trips[i - 1], why: reasonOf(trips, i, at[n + 1], reasons) }));
}

/** A decision of this change, or else one made later for the same choice, before the next change. */
function reasonOf(trips, i, next, reasons) {
  const { session, frame } = trips[i];
  const frameOf = (trip, otherwise) => (trip?.session === session ? trip.frame : otherwise);
  const after = frameOf(trips[i - 1], -1);
  const before = frameOf(trips[next], Number.POSITIVE_INFINITY);
  const known = reasons.find((r) => r.session === session && same(r, trips[i]) && r.frame > after && r.frame < before);
  if (!known) return t('changes.unknown');
  return known.frame > frame
    ? t('changes.as_of', { frame: known.frame, why: sentence(known.why) })
    : sentence(known.why);
}

export function changeWords({ trip, from, why }) {
  const [before, after] = [place(from.partition, from.rate), place(trip.partition, trip.rate)];
  return t('changes.words', { frame: trip.frame, before, after, why });
}

/** A device's own words, as a sentence. */
export function sentence(words) {
  const trimmed = words.trim();
  return `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}${/[.!?]$/.test(trimmed) ? '' : '.'}`;
}
