import { h } from '../parts/dom.js';
import { icon } from '../parts/icon.js';
import { t } from '../t.js';
import { DAYS, dayName } from './words.js';

/** What an edge takes, at most. */
const MOST = 32;
const WORKING = { days: [1, 2, 3, 4, 5], from: '06:00', to: '18:00' };

/** Days and hours at which a rule counts: any number of them, one at least. */
export class HoursList {
  #list = h('div', { class: 'hours-list' });
  #add;
  #onChange;

  /** @param schedule {days, from, to}[]; empty: begins with working days @param onChange one came, went or changed */
  constructor(schedule, onChange) {
    this.#onChange = onChange;
    this.#add = h(
      'button',
      { type: 'button', class: 'button', onclick: () => this.#more() },
      icon('add'),
      t('rules.hours_add'),
    );
    this.element = h(
      'fieldset',
      { class: 'own-hours' },
      this.#list,
      h('p', { class: 'actions' }, this.#add, h('span', { class: 'quiet small hours-hint' }, t('rules.hours_hint'))),
    );
    for (const hours of schedule.length > 0 ? schedule : [WORKING]) this.#list.append(this.#row(hours));
    this.#settle();
  }

  /** Whether they count; those that do not are not checked either. */
  set on(on) {
    this.element.disabled = !on;
  }

  /** @returns {{days: number[], from: string, to: string}[]} in their order */
  read() {
    return [...this.#list.children].map((row) => {
      const [from, to] = ['from', 'to'].map((name) => row.querySelector(`[data-name=${name}]`).value);
      const days = [...row.querySelectorAll('[data-name=days]:checked')].map(({ value }) => Number(value));
      return { days, from, to };
    });
  }

  #row({ days, from, to }) {
    const time = (name, value) =>
      h(
        'label',
        { class: 'field' },
        h('span', {}, t(`rules.field.${name}`)),
        h('input', { type: 'time', 'data-name': name, value, required: true }),
      );
    const row = h(
      'fieldset',
      { class: 'hours' },
      h('legend', {}),
      h(
        'div',
        { class: 'checks', role: 'group', 'aria-label': t('rules.field.days') },
        DAYS.map((day) =>
          h(
            'label',
            {},
            h('input', { type: 'checkbox', 'data-name': 'days', value: day, checked: days.includes(day) }),
            h('span', {}, dayName(day)),
          ),
        ),
      ),
      h(
        'div',
        { class: 'field-row' },
        time('from', from),
        time('to', to),
        h('button', { type: 'button', class: 'button', onclick: () => this.#remove(row) }, t('rules.hours_remove')),
      ),
    );
    return row;
  }

  /** The next ones begin as the last are, for other days: those that no other has, where there are some. */
  #more() {
    const all = this.read();
    const free = DAYS.filter((day) => !all.some(({ days }) => days.includes(day)));
    const { from, to } = all.at(-1) ?? WORKING;
    const row = this.#row({ days: free, from, to });
    this.#list.append(row);
    this.#changed();
    row.querySelector('input').focus();
  }

  #remove(row) {
    const next = row.nextElementSibling ?? row.previousElementSibling;
    row.remove();
    this.#changed();
    (next?.querySelector('input') ?? this.#add).focus();
  }

  #changed() {
    this.#settle();
    this.#onChange();
  }

  #settle() {
    const rows = [...this.#list.children];
    rows.forEach((row, at) => {
      row.querySelector('legend').textContent = t('rules.hours_of', { n: at + 1 });
      const remove = row.querySelector('button');
      remove.hidden = rows.length === 1;
      remove.setAttribute('aria-label', t('rules.hours_remove_named', { n: at + 1 }));
    });
    this.#add.disabled = rows.length >= MOST;
  }
}
