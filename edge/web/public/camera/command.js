import { api } from '../api.js';
import { h } from '../parts/dom.js';
import { place } from '../parts/format.js';
import { toast, toastError } from '../parts/toast.js';
import { mayChange } from '../session.js';
import { t } from '../t.js';

/** Where the network is cut, for operators: by itself, or as told. @returns {Promise<HTMLElement | undefined>} */
export async function partitionForm(camera, scope) {
  if (!mayChange()) return undefined;
  const path = `/cameras/${encodeURIComponent(camera)}`;
  try {
    const { choices } = await api(path, { signal: scope.signal });
    if (choices.length === 0) return undefined;
    const options = choices.flatMap(({ partition, rates }) => rates.map((rate) => ({ partition, rate })));
    const select = h(
      'select',
      { 'aria-label': t('command.choose') },
      h('option', { value: '' }, t('command.auto')),
      options.map((option, at) => h('option', { value: at }, place(option.partition, option.rate))),
    );
    const send = async (event) => {
      event.preventDefault();
      const body = select.value === '' ? { partition: 'auto' } : options[Number(select.value)];
      try {
        await api(`${path}/commands/partition`, { method: 'POST', body, signal: scope.signal });
        toast(t('command.sent'));
      } catch (error) {
        if (!scope.over) toastError(error);
      }
    };
    return h(
      'form',
      { class: 'panel command', onsubmit: send },
      h('h2', {}, t('command.title')),
      h('p', { class: 'quiet' }, t('command.words')),
      h('p', { class: 'actions' }, select, h('button', { type: 'submit', class: 'button' }, t('command.send'))),
    );
  } catch {
    // a camera that is not known has nothing to be told
    return undefined;
  }
}
