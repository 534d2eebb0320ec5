import { $, h, refill, setHidden, setText } from '../parts/dom.js';
import { ago, bytes, ms, place, text } from '../parts/format.js';
import { t } from '../t.js';
import { current, FEW, linkWords, optionRows, sentence, shares, slowness, standing } from './decision.js';

const SIDES = ['device', 'link', 'edge'];

/** The panel that says why the point in use was chosen, and what the others would have cost. */
export class Why {
  #all = false;
  #shown = null;

  constructor() {
    $('options-more').addEventListener('click', () => {
      this.#all = !this.#all;
      if (this.#shown) this.#options(this.#shown);
    });
  }

  update(device, now) {
    const { local, waiting } = standing(device);
    for (const [id, words] of [
      ['why-local', local],
      ['why-waiting', waiting],
    ]) {
      setHidden($(id), words === '');
      setText($(id), words);
    }
    const decision = current(device);
    setHidden($('why'), !decision && local === '' && waiting === '');
    setHidden($('decision'), !decision);
    setText($('why-of'), decision ? t('why.of', { frame: decision.frame, ago: ago(now - decision.heard) }) : '');
    this.#shown = decision ?? null;
    if (!decision) return;
    setText($('why-choice'), place(decision.partition, decision.rate));
    setText($('why-words'), sentence(decision.why));
    this.#inputs(decision);
    this.#options(decision);
  }

  #inputs(decision) {
    const rows = [
      [t('why.link'), ...linkWords(decision)],
      [t('why.device'), ...slowness(decision.device_slowdown)],
      [t('why.edge'), ...slowness(decision.edge_slowdown)],
      [t('why.queue'), text(ms(decision.edge_queue_ms))],
    ];
    refill($('why-inputs'), JSON.stringify(rows), () =>
      rows.map(([title, value, more]) =>
        h('div', {}, h('dt', {}, title), h('dd', {}, value), more ? h('dd', { class: 'quiet small' }, more) : ''),
      ),
    );
  }

  #options(decision) {
    const { rows, hidden, top, cut } = optionRows(decision, this.#all);
    setHidden($('options-box'), rows.length === 0);
    refill($('options-body'), JSON.stringify([rows, top]), () => rows.map((row) => optionRow(row, top)));
    setText($('options-scale'), t(cut ? 'why.scale_cut' : 'why.scale', { top: text(ms(top)) }));
    const more = $('options-more');
    setHidden(more, !this.#all && hidden === 0);
    setText(more, this.#all ? t('why.few', { n: FEW }) : t('why.all', { n: decision.options.length }));
    more.setAttribute('aria-expanded', String(this.#all));
  }
}

/** Under a head that says ms. */
function bare(value) {
  const [number, unit] = value === 0 ? ['0', 'ms'] : ms(value);
  return unit === 'ms' ? number : text([number, unit]);
}

function optionRow({ option, name, chosen }, top) {
  const parts = shares(option, top);
  const bar = h(
    'span',
    { class: 'stack', 'aria-hidden': 'true' },
    ...SIDES.map((side) => h('span', { class: `part-${side}` })),
  );
  [...bar.children].forEach((part, i) => {
    part.style.width = `${(parts[i] * 100).toFixed(2)}%`;
  });
  bar.classList.toggle('cut', option.total_ms > top);
  const cell = (side) => h('td', { class: 'number side-time' }, bare(option[`${side}_ms`]));
  return h(
    'tr',
    { class: chosen ? 'chosen' : undefined, 'aria-current': chosen ? 'true' : undefined },
    h(
      'th',
      { scope: 'row' },
      h('span', { class: 'options-name' }, name),
      chosen ? h('span', { class: 'tag' }, t('why.chosen')) : '',
    ),
    h('td', { class: 'number size' }, option.bytes > 0 ? text(bytes(option.bytes)) : t('none')),
    ...SIDES.map(cell),
    h(
      'td',
      { class: 'bar', title: SIDES.map((side) => `${t(`side.${side}`)} ${text(ms(option[`${side}_ms`]))}`).join(', ') },
      bar,
    ),
    h('td', { class: 'number total' }, text(ms(option.total_ms))),
    h(
      'td',
      { class: 'number accuracy' },
      option.accuracy === undefined ? '–' : `${(option.accuracy * 100).toFixed(1)}%`,
    ),
  );
}
