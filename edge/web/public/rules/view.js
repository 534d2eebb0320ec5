import { api } from '../api.js';
import { ask, openDialog } from '../parts/dialog.js';
import { h } from '../parts/dom.js';
import { emptyState } from '../parts/empty.js';
import { icon } from '../parts/icon.js';
import { load } from '../parts/load.js';
import { severityPill } from '../parts/pills.js';
import { toast, toastError } from '../parts/toast.js';
import { mayChange } from '../session.js';
import { site } from '../site.js';
import { t } from '../t.js';
import { blank, ruleForm } from './form.js';
import { ruleWords } from './words.js';

/** What sets off an alert. */
export function rulesView(_route, scope) {
  const place = h('div', {});
  const { signal } = scope;

  const again = load(
    place,
    async () => {
      const [{ rules }, { labels }, { zones }, { notify }] = await Promise.all(
        ['/rules', '/labels', '/zones', '/status'].map((path) => api(path, { signal })),
      );
      const names = zones.filter(({ kind }) => kind === 'zone').map(({ name }) => name);
      const cameras = site.sorted().map(({ name }) => name);
      return { rules, known: { cameras, labels, zones: [...new Set(names)].sort(), notify } };
    },
    ({ rules, known }) => {
      const add = h(
        'button',
        { type: 'button', class: 'button main', onclick: () => edit(blank, known) },
        icon('add'),
        t('rules.new'),
      );
      if (rules.length === 0) {
        return emptyState({ title: t('rules.none'), words: t('rules.none_words'), actions: mayChange() ? [add] : [] });
      }
      const sorted = rules.toSorted((a, b) => a.name.localeCompare(b.name));
      const list = h(
        'ul',
        { class: 'plain rule-list' },
        sorted.map((rule) => row(rule, known)),
      );
      return [mayChange() && h('p', { class: 'actions' }, add), list].filter(Boolean);
    },
    scope,
  );

  function row(rule, known) {
    const { name, enabled, severity } = rule;
    const button = (words, onclick) =>
      h('button', { type: 'button', class: 'button', 'aria-label': t(`${words}_named`, { name }), onclick }, t(words));
    const toggle = h('button', {
      type: 'button',
      class: 'switch',
      role: 'switch',
      'aria-checked': String(enabled),
      'aria-label': t('rules.switch', { name }),
      onclick: () => change(rule, { enabled: !enabled }),
    });
    return h(
      'li',
      { class: 'panel rule', 'data-enabled': enabled },
      h(
        'div',
        { class: 'rule-text' },
        h(
          'h2',
          {},
          name,
          ' ',
          severityPill(severity),
          !enabled && h('span', { class: 'pill', 'data-state': 'wait' }, t('rules.off')),
        ),
        h('p', {}, ruleWords(rule)),
      ),
      mayChange() &&
        h(
          'div',
          { class: 'rule-actions' },
          toggle,
          button('rules.edit', () => edit(rule, known)),
          button('rules.delete', () => remove(rule)),
        ),
    );
  }

  function edit(rule, known) {
    const { id } = rule;
    const dialog = openDialog({
      title: t(id ? 'rules.change' : 'rules.new'),
      body: [
        ruleForm(rule, known, {
          cancel: () => dialog.close(),
          save: async (draft) => {
            await api(id ? `/rules/${id}` : '/rules', { method: id ? 'PUT' : 'POST', body: draft, signal });
            dialog.close();
            toast(t('rules.saved', { name: draft.name }));
            await again();
          },
        }),
      ],
      wide: true,
      signal,
    });
  }

  async function change({ id, updated: _, ...rule }, changes) {
    try {
      await api(`/rules/${id}`, { method: 'PUT', body: { ...rule, ...changes }, signal });
      await again();
    } catch (error) {
      if (!scope.over) toastError(error);
    }
  }

  async function remove({ id, updated: _, ...rule }) {
    const { name } = rule;
    const words = t('rules.delete_words');
    const answer = await ask({
      title: t('rules.delete_title', { name }),
      words,
      action: t('rules.delete'),
      danger: true,
      signal,
    });
    if (!answer) return;
    try {
      await api(`/rules/${id}`, { method: 'DELETE', signal });
      toast(t('rules.deleted', { name }));
      await again();
    } catch (error) {
      if (!scope.over) toastError(error);
    }
  }

  scope.on(site, 'settings', again);
  return {
    title: t('nav.rules'),
    element: h('div', { class: 'rules' }, h('div', { class: 'view-head' }, h('h1', {}, t('nav.rules'))), place),
  };
}
