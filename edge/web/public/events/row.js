import { h } from '../parts/dom.js';
import { lasted, timeOf } from '../parts/time.js';
import { t } from '../t.js';

/** Of a row in the list, in the size of the page's words, which people may choose; as .vrow has it. */
export const ROW_REM = 5.25;

/** `2 head`, as people say it. */
export const what = ({ label, max_count: n }) => t('events.what', { n, label });

/** How long it lasted, or that it goes on. */
export const howLong = ({ started, ended }) => (ended === undefined ? t('events.going_on') : lasted(ended - started));

/** An event in a list. @param onclick opens it */
export function eventRow(event, href, onclick) {
  return h(
    'a',
    { class: 'event', href, onclick },
    thumbnail(event),
    h(
      'span',
      { class: 'event-text' },
      h('strong', {}, what(event)),
      h(
        'span',
        { class: 'event-where' },
        event.camera,
        event.zones.map((zone) => h('span', { class: 'chip' }, zone)),
      ),
    ),
    h(
      'span',
      { class: 'event-when' },
      timeOf(event.started),
      h('span', { class: event.ended === undefined ? 'going-on' : 'quiet' }, howLong(event)),
    ),
  );
}

/** Of a thumbnail, the box takes this share; a picture is enlarged so often at most. */
const BOX_SHARE = 0.45;
const ZOOM = 3;

/** The picture of its best moment, cut to where it was. */
export function thumbnail({ id, snapshot, box, label }) {
  if (!snapshot) return h('span', { class: 'thumb none', 'aria-hidden': 'true' }, label.charAt(0).toUpperCase());
  const src = `/api/v1/events/${id}/snapshot`;
  const image = h('img', { src, alt: '', loading: 'lazy', decoding: 'async' });
  const [x, y, width, height] = box;
  const zoom = Math.min(ZOOM, Math.max(1, BOX_SHARE / Math.max(width, height, 1e-6)));
  const shift = (middle) => `${(-100 * Math.min(1 - 1 / zoom, Math.max(0, middle - 0.5 / zoom))).toFixed(1)}%`;
  image.style.transform = `scale(${zoom.toFixed(2)}) translate(${shift(x + width / 2)}, ${shift(y + height / 2)})`;
  return h('span', { class: 'thumb' }, image);
}
