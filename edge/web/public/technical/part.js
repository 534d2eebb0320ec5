import { h } from '../parts/dom.js';
import { t } from '../t.js';

/** The places that charts, tables and reasons of one camera are filled in, by id: one at a time is on the page. */
export function technicalPart() {
  return h('div', { class: 'technical-grid' }, why(), charts(), results(), trouble());
}

function why() {
  return h(
    'section',
    { id: 'why', class: 'panel', 'aria-labelledby': 'why-title', hidden: true },
    h(
      'div',
      { class: 'section-head' },
      h('h3', { id: 'why-title' }, t('why.title')),
      h('p', { id: 'why-of', class: 'quiet small' }),
    ),
    h('p', { id: 'why-local', class: 'notice', hidden: true }),
    h('p', { id: 'why-waiting', class: 'notice', hidden: true }),
    h(
      'div',
      { id: 'decision', class: 'decision', hidden: true },
      h(
        'div',
        {},
        h('p', {}, h('strong', { id: 'why-choice' })),
        h('p', { id: 'why-words' }),
        h('dl', { id: 'why-inputs', class: 'inputs', 'aria-label': t('why.inputs') }),
      ),
      h(
        'div',
        { id: 'options-box' },
        h(
          'ul',
          { class: 'legend plain', 'aria-hidden': 'true' },
          h('li', {}, h('span', { class: 'swatch part-device' }), h('span', {}, t('side.device'))),
          h('li', {}, h('span', { class: 'swatch part-link' }), h('span', {}, t('side.link'))),
          h('li', {}, h('span', { class: 'swatch part-edge' }), h('span', {}, t('side.edge'))),
        ),
        h(
          'table',
          { id: 'options' },
          h('caption', { class: 'hidden' }, t('why.caption')),
          h(
            'thead',
            {},
            h(
              'tr',
              {},
              h('th', { scope: 'col' }, t('column.place')),
              h('th', { scope: 'col', class: 'number size' }, t('column.size')),
              h('th', { scope: 'col', class: 'number side-time' }, t('column.device_ms')),
              h('th', { scope: 'col', class: 'number side-time' }, t('column.link_ms')),
              h('th', { scope: 'col', class: 'number side-time' }, t('column.edge_ms')),
              h('th', { scope: 'col', class: 'bar' }, h('span', { class: 'hidden' }, t('column.bar'))),
              h('th', { scope: 'col', class: 'number total' }, t('column.total')),
              h('th', { scope: 'col', class: 'number accuracy' }, t('column.accuracy')),
            ),
          ),
          h('tbody', { id: 'options-body' }),
        ),
        h(
          'p',
          { class: 'quiet small' },
          h('span', { id: 'options-scale' }),
          h('button', { id: 'options-more', type: 'button', class: 'more', 'aria-expanded': 'false', hidden: true }),
        ),
      ),
    ),
  );
}

function charts() {
  return h(
    'section',
    { id: 'charts', 'aria-labelledby': 'charts-title' },
    h(
      'div',
      { class: 'section-head' },
      h('h3', { id: 'charts-title' }, t('charts.title')),
      h('p', { id: 'charts-of', class: 'quiet' }),
    ),
    h(
      'figure',
      { class: 'panel chart', id: 'bytes-figure' },
      h(
        'figcaption',
        {},
        h('h4', {}, t('charts.bytes')),
        h('ul', { id: 'bytes-legend', class: 'legend plain', 'aria-label': t('charts.legend') }),
      ),
      h('canvas', { class: 'plot', id: 'bytes', tabindex: '0', role: 'img', 'aria-describedby': 'bytes-read' }),
      h('p', { id: 'bytes-read', class: 'readout', 'aria-live': 'off' }),
    ),
    h(
      'figure',
      { class: 'panel chart', id: 'latency-figure' },
      h('figcaption', {}, h('h4', {}, t('charts.time')), h('p', { class: 'quiet small', id: 'latency-note' })),
      h('canvas', { class: 'plot', id: 'latency', tabindex: '0', role: 'img', 'aria-describedby': 'latency-read' }),
      h('p', { id: 'latency-read', class: 'readout', 'aria-live': 'off' }),
      h('h4', {}, t('charts.points')),
      h('ul', { id: 'points-legend', class: 'legend plain', 'aria-label': t('charts.points_legend') }),
      h('canvas', { class: 'plot', id: 'points', tabindex: '0', role: 'img', 'aria-describedby': 'points-read' }),
      h('p', { id: 'points-read', class: 'readout', 'aria-live': 'off' }),
      h(
        'details',
        { id: 'changes', hidden: true },
        h('summary', { id: 'changes-title' }),
        h('ol', { id: 'changes-list', class: 'changes plain' }),
      ),
      h('table', { id: 'steps', class: 'steps' }, h('caption', { class: 'hidden' }, t('charts.steps'))),
    ),
  );
}

function results() {
  return h(
    'section',
    { id: 'results', class: 'panel', 'aria-labelledby': 'results-title' },
    h('h3', { id: 'results-title' }, t('results.title')),
    h(
      'section',
      { class: 'scroll', tabindex: '0', 'aria-labelledby': 'results-title' },
      h(
        'table',
        {},
        h(
          'thead',
          {},
          h(
            'tr',
            {},
            h('th', { scope: 'col' }, t('column.time')),
            h('th', { scope: 'col', class: 'frame number' }, t('column.frame')),
            h('th', { scope: 'col' }, t('column.place')),
            h('th', { scope: 'col', class: 'number' }, t('column.bytes')),
            h('th', { scope: 'col', class: 'coding' }, t('column.coding')),
            h('th', { scope: 'col', class: 'number' }, t('column.total')),
            h('th', { scope: 'col', class: 'found' }, t('column.found')),
          ),
        ),
        h('tbody', { id: 'results-body' }),
      ),
    ),
  );
}

function trouble() {
  return h(
    'section',
    { id: 'trouble', class: 'panel', 'aria-labelledby': 'trouble-title' },
    h('h3', { id: 'trouble-title' }, t('trouble.title')),
    h(
      'table',
      {},
      h(
        'thead',
        {},
        h(
          'tr',
          {},
          h('th', { scope: 'col' }, t('column.where')),
          h('th', { scope: 'col' }, t('column.cause')),
          h('th', { scope: 'col', class: 'number' }, t('column.frames')),
        ),
      ),
      h('tbody', { id: 'drops-body' }),
    ),
    h('p', { id: 'no-drops', class: 'quiet' }, t('trouble.none')),
    h('h4', { id: 'errors-title', hidden: true }, t('trouble.errors')),
    h('ul', { id: 'errors', class: 'plain errors', 'aria-labelledby': 'errors-title' }),
    h('h4', {}, t('trouble.edges')),
    h('ul', { id: 'edges', class: 'plain edges' }),
  );
}
