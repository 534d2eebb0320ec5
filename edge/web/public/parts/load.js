import { site } from '../site.js';
import { t } from '../t.js';
import { h } from './dom.js';
import { emptyState } from './empty.js';

/** Until an edge that could not be reached is asked again, ms. */
const AGAIN_MS = 4000;

/**
 * Shows something that has to be asked for first: that it is on its way, then what came, or what is wrong with a button to try
 * again. Asks again after a lost connection.
 * @param place element that it is shown in @param ask () => Promise of what was asked for @param show (answer) => nodes
 * @param onBack what to do after a lost connection instead, once it is shown
 * @returns {() => Promise<void>} asks again
 */
export function load(place, ask, show, scope, onBack) {
  let turn = 0;
  let done = false;
  const again = async () => {
    const mine = ++turn;
    if (place.childElementCount === 0)
      place.replaceChildren(h('p', { class: 'quiet', role: 'status' }, t('load.waiting')));
    try {
      const answer = await ask();
      if (scope.over || mine !== turn) return;
      place.replaceChildren(...[show(answer)].flat());
      done = true;
    } catch (error) {
      if (scope.over || mine !== turn) return;
      place.replaceChildren(failure(error, again));
      retryLater(error, () => mine === turn && again(), scope);
    }
  };
  // who fills in a form is not disturbed
  scope.on(site, 'back', () => {
    if (!done) again();
    else if (onBack) onBack();
    else if (!place.contains(document.activeElement?.closest('form') ?? null)) again();
  });
  again();
  return again;
}

/** An edge that could not be reached is asked again without being told to. */
export function retryLater({ code }, again, scope) {
  if (code === 'unreachable') scope.after(AGAIN_MS, again);
}

/** What is wrong, and what to do about it. */
export function failure(error, again) {
  if (error.code === 'no_history')
    return emptyState({ title: t('load.no_history'), words: t('load.no_history_words') });
  const retry = h('button', { type: 'button', class: 'button', onclick: again }, t('load.again'));
  return emptyState({ title: t('load.failed'), words: error.words ?? error.message, actions: [retry] });
}
