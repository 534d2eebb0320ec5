import { t } from '../t.js';
import { $, h } from './dom.js';

const SHOWN_MS = 8000;
const MOST = 3;

/**
 * A short message that goes away by itself, not while it has the pointer or the focus.
 * @param words what happened @param action {words, run}: a button, such as to undo it
 */
export function toast(words, action) {
  const list = $('toasts');
  const element = h('div', { class: 'toast' }, h('p', {}, words));
  const close = () => {
    clearTimeout(timer);
    element.remove();
  };
  if (action) {
    const run = () => {
      close();
      action.run();
    };
    element.append(h('button', { type: 'button', class: 'plain-button', onclick: run }, action.words));
  }
  element.append(
    h('button', { type: 'button', class: 'icon-button', 'aria-label': t('dialog.dismiss'), onclick: close }, '\u00d7'),
  );
  const wait = () => setTimeout(close, SHOWN_MS);
  let timer = wait();
  const hold = () => clearTimeout(timer);
  const release = () => {
    clearTimeout(timer);
    timer = wait();
  };
  element.addEventListener('pointerenter', hold);
  element.addEventListener('focusin', hold);
  element.addEventListener('pointerleave', release);
  element.addEventListener('focusout', release);
  list.append(element);
  while (list.children.length > MOST) list.firstElementChild.remove();
}

/** What went wrong with something that somebody did. */
export const toastError = (error) => toast(error.words ?? error.message);
