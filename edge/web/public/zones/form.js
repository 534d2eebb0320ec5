import { api } from '../api.js';
import { h, setHidden, setText } from '../parts/dom.js';
import { t } from '../t.js';
import { MOST } from './polygon.js';

let count = 0;

/**
 * Name and kind of what is drawn, and what may be done with it.
 * @param place as the API has it; without an id a new one @param polygon that is drawn
 * @param on {change(what): the board has to be drawn again, saved(place), cancel()}
 */
export function placeForm(place, polygon, on, scope) {
  const id = ++count;
  const choice = (name, values) =>
    h(
      'fieldset',
      { class: 'choice' },
      h('legend', {}, t(`zones.${name}`)),
      values.map((value) =>
        h(
          'label',
          {},
          h('input', { type: 'radio', name, value, checked: place[name] === value }),
          h(
            'span',
            {},
            h('strong', {}, t(`zones.${name}.${value}`)),
            ' ',
            h('span', { class: 'quiet' }, t(`zones.${name}.${value}_words`)),
          ),
        ),
      ),
    );
  const name = h('input', {
    name: 'name',
    required: true,
    maxlength: '64',
    autocomplete: 'off',
    value: place.name ?? '',
  });
  const problem = h('p', { class: 'problem', role: 'alert', id: `zone-problem-${id}`, hidden: true });
  const tell = (words) => {
    setText(problem, words);
    setHidden(problem, words === '');
  };
  const button = (words, onclick) => h('button', { type: 'button', class: 'button', onclick }, t(words));
  const undo = button('zones.undo', () => {
    polygon.undo();
    on.change();
  });
  const clear = button('zones.clear', () => {
    polygon.clear();
    on.change();
  });
  const add = button('zones.add_corner', () => {
    if (!polygon.addSomewhere()) tell(t('zones.full', { n: MOST }));
    on.change(polygon.points.length - 1);
  });
  const hint = h('p', { class: 'quiet', role: 'status' });
  const save = h('button', { type: 'submit', class: 'button main' }, t('zones.save'));

  const submit = async (event) => {
    event.preventDefault();
    if (polygon.points.length < 3) return tell(t('zones.too_few'));
    tell('');
    save.disabled = true;
    const values = Object.fromEntries(new FormData(form));
    const body = { camera: place.camera, ...values, name: values.name.trim(), points: polygon.points };
    try {
      const path = place.id ? `/zones/${place.id}` : '/zones';
      on.saved(await api(path, { method: place.id ? 'PUT' : 'POST', body, signal: scope.signal }));
    } catch (error) {
      if (scope.over) return;
      save.disabled = false;
      tell(error.code === 'invalid' ? `${error.words} ${t('zones.name_rule')}` : error.words);
      problem.scrollIntoView({ block: 'nearest' });
    }
  };
  const form = h(
    'form',
    { class: 'stack-form', onsubmit: submit, 'aria-describedby': problem.id },
    hint,
    h('p', { class: 'actions' }, add, undo, clear),
    h('label', { class: 'field' }, h('span', {}, t('zones.name')), name),
    choice('kind', ['zone', 'mask']),
    choice('anchor', ['foot', 'centre']),
    problem,
    h('p', { class: 'actions' }, save, button('dialog.cancel', on.cancel)),
  );
  return {
    element: form,
    /** After the polygon changed. */
    update() {
      const n = polygon.points.length;
      undo.disabled = !polygon.canUndo;
      clear.disabled = n === 0;
      add.disabled = n >= MOST;
      setText(hint, n < 3 ? t('zones.hint_start') : t('zones.hint_more', { n }));
    },
    tell,
  };
}
