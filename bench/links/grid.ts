import type { Link } from './decide.js';

/** The paper's ten bandwidths, Mbit/s. */
const BANDWIDTHS = [0.25, 0.5, 1, 2, 5, 10, 25, 54, 150, 450];
/** There and back: a cable, a site's Wi-Fi, a mobile network. */
const DELAYS = [2, 20, 80];
/** Other traffic, on a link of 54 Mbit/s. */
const BACKGROUND = [0, 10, 20, 30, 40, 50];
const SHARED = { mbps: 54, delay_ms: 2 };

const QUICK_BANDWIDTHS = [2, 10, 54];

/** The links to measure, without repetition. */
export function links(quick: boolean): Link[] {
  const bandwidths = quick ? QUICK_BANDWIDTHS : BANDWIDTHS;
  const delays = quick ? DELAYS.slice(0, 1) : DELAYS;
  const free = delays.flatMap((delay_ms) => bandwidths.map((mbps) => ({ mbps, delay_ms, background_mbps: 0 })));
  const busy = BACKGROUND.filter((mbps) => (quick ? mbps === 20 : mbps > 0));
  return [...free, ...busy.map((background_mbps) => ({ ...SHARED, background_mbps }))];
}
