import { svg } from './dom.js';

/** Lines on a field of 24 by 24. */
const PATHS = {
  live: ['M3 6h18v12H3z', 'M10 9.500v5l4.500-2.500z'],
  events: ['M4 6h2', 'M9 6h11', 'M4 12h2', 'M9 12h11', 'M4 18h2', 'M9 18h11'],
  alerts: [
    'M12 3.500a5.500 5.500 0 0 0-5.500 5.500c0 5-2 6.500-2 8h15c0-1.500-2-3-2-8A5.500 5.500 0 0 0 12 3.500z',
    'M10 20.500h4',
  ],
  zones: ['M5 5l13 3 2 10-13 2z', 'M5 5v.01', 'M18 8v.01', 'M20 18v.01', 'M7 20v.01'],
  rules: ['M4 7h9', 'M17 7h3', 'M15 4.500v5', 'M4 17h3', 'M11 17h9', 'M9 14.500v5'],
  settings: [
    'M12 8.500a3.500 3.500 0 1 0 0 7 3.500 3.500 0 0 0 0-7z',
    'M12 2.500v3M12 18.500v3M2.500 12h3M18.500 12h3M5.300 5.300l2.100 2.100M16.600 16.600l2.100 2.100M18.700 5.300l-2.100 2.100M7.400 16.600l-2.100 2.100',
  ],
  wall: ['M3 9V4h5', 'M16 4h5v5', 'M21 15v5h-5', 'M8 20H3v-5'],
  person: ['M12 4a3.800 3.800 0 1 0 0 7.600A3.800 3.800 0 0 0 12 4z', 'M4.500 20c.6-4 3.500-6 7.500-6s6.900 2 7.500 6'],
  leave: ['M10 4H5v16h5', 'M14.500 8l4 4-4 4', 'M9.500 12h9'],
  back: ['M14.500 5l-7 7 7 7'],
  close: ['M6 6l12 12', 'M18 6L6 18'],
  add: ['M12 5v14', 'M5 12h14'],
  download: ['M12 4v11', 'M7.500 11l4.500 4.500 4.500-4.500', 'M5 20h14'],
};

/** A picture beside words: readers get the words alone. */
export function icon(name) {
  const lines = PATHS[name].map((d) => svg('path', { d }));
  return svg('svg', { class: 'icon', viewBox: '0 0 24 24', 'aria-hidden': 'true', focusable: 'false' }, ...lines);
}
