import { t } from '../t.js';
import { h } from './dom.js';
import { icon } from './icon.js';

let count = 0;

/**
 * Opens a dialog; Esc and the cross close it, and the focus goes back to where it was.
 * @param options {title, body: nodes, signal: closes it, wide, onClose}
 * @returns {{element: HTMLDialogElement, close(): void}}
 */
export function openDialog({ title, body, signal, wide = false, onClose }) {
  const id = `dialog-${++count}`;
  const close = () => element.close();
  const element = h(
    'dialog',
    { class: wide ? 'dialog wide' : 'dialog', 'aria-labelledby': id },
    h(
      'header',
      {},
      h('h2', { id, tabindex: '-1' }, title),
      h(
        'button',
        { type: 'button', class: 'icon-button', 'aria-label': t('dialog.close'), onclick: close },
        icon('close'),
      ),
    ),
    h('div', { class: 'dialog-body' }, ...body),
  );
  const before = document.activeElement;
  element.addEventListener('close', () => {
    element.remove();
    if (before?.isConnected) before.focus();
    onClose?.();
  });
  // a click beside it
  element.addEventListener('click', (event) => event.target === element && close());
  signal?.addEventListener('abort', close, { once: true });
  document.body.append(element);
  element.showModal();
  return { element, close };
}

/**
 * Asks for a yes and perhaps a note.
 * @param options {title, words, action: what the button says, danger, note: label of a field, signal}
 * @returns {Promise<{note: string} | null>} null: no
 */
export function ask({ title, words, action, danger = false, note, signal }) {
  return new Promise((done) => {
    let answer = null;
    const field = note && h('textarea', { rows: '3', maxlength: '1000', name: 'note' });
    const submit = (event) => {
      event.preventDefault();
      answer = { note: field?.value.trim() ?? '' };
      dialog.close();
    };
    const form = h(
      'form',
      { class: 'stack-form', onsubmit: submit },
      words && h('p', {}, words),
      field && h('label', { class: 'field' }, h('span', {}, note), field),
      h(
        'p',
        { class: 'actions' },
        h('button', { type: 'submit', class: danger ? 'button danger' : 'button main' }, action),
        h('button', { type: 'button', class: 'button', onclick: () => dialog.close() }, t('dialog.cancel')),
      ),
    );
    const dialog = openDialog({ title, body: [form], signal, onClose: () => done(answer) });
    field?.focus();
  });
}
