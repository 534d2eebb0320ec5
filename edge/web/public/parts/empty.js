import { h } from './dom.js';

/** Where there is nothing: what that means, and what to do next. @param actions links and buttons */
export function emptyState({ title, words, steps = [], actions = [] }) {
  return h(
    'section',
    { class: 'panel empty' },
    h('h2', {}, title),
    words && h('p', {}, words),
    steps.length > 0 && h('ol', {}, ...steps.map((step) => h('li', {}, step))),
    actions.length > 0 && h('p', { class: 'actions' }, ...actions),
  );
}
