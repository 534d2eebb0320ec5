import { api } from '../api.js';
import { ask } from '../parts/dialog.js';
import { h, setHidden } from '../parts/dom.js';
import { emptyState } from '../parts/empty.js';
import { load } from '../parts/load.js';
import { toast, toastError } from '../parts/toast.js';
import { link } from '../router.js';
import { mayChange } from '../session.js';
import { site } from '../site.js';
import { t } from '../t.js';
import { alertCard } from './card.js';

const PAGE = 50;
/** Closed alerts on the page, at most: more are in the API. */
const MOST_CLOSED = 500;
const GRAVITY = { critical: 0, warning: 1, info: 2 };

/** What rules found: those that nobody looks after first. */
export function alertsView({ path: [chosen] }, scope) {
  const place = h('div', {});
  let again = () => {};

  const act = async (alert, action) => {
    const answer = await ask({
      title: t(`alerts.${action}_title`),
      words: alert.message,
      action: t(`alerts.${action}`),
      note: t('alerts.note'),
      signal: scope.signal,
    });
    if (!answer) return;
    try {
      const body = answer.note === '' ? {} : { note: answer.note };
      await api(`/alerts/${alert.id}/${action}`, { method: 'POST', body, signal: scope.signal });
      toast(t(`alerts.${action}_done`));
    } catch (error) {
      if (!scope.over) toastError(error);
    }
  };

  const show = ({ open, acknowledged, closed }) => {
    const sections = {
      open: new Section('open', open, act, scope),
      acknowledged: new Section('acknowledged', acknowledged, act, scope),
      closed: new Section('closed', closed, act, scope),
    };
    const calm = emptyState({ title: t('alerts.calm'), words: t('alerts.calm_words'), actions: rulesLink() });
    const settle = () => setHidden(calm, sections.open.size > 0);
    settle();
    again = ({ alert }) => {
      for (const [state, section] of Object.entries(sections)) {
        if (state === alert.state) section.put(alert);
        else section.drop(alert.id);
      }
      settle();
    };
    if (chosen) queueMicrotask(() => document.getElementById(`alert-${chosen}`)?.scrollIntoView({ block: 'center' }));
    return [calm, ...Object.values(sections).map(({ element }) => element)];
  };

  scope.on(site, 'alert', ({ detail }) => again(detail));
  load(
    place,
    async () => {
      const ask = (state, limit) => api('/alerts', { query: { state, limit }, signal: scope.signal });
      const [open, acknowledged, closed] = await Promise.all([
        ask('open', 500),
        ask('acknowledged', 500),
        ask('closed', PAGE),
      ]);
      return { open, acknowledged, closed };
    },
    show,
    scope,
  );
  return {
    title: t('nav.alerts'),
    element: h('div', { class: 'alerts' }, h('div', { class: 'view-head' }, h('h1', {}, t('nav.alerts'))), place),
  };
}

const rulesLink = () => [
  h('a', { class: 'button', href: link('rules') }, t(mayChange() ? 'alerts.make_rule' : 'alerts.see_rules')),
];

/** Alerts of one state, the gravest and newest first. */
class Section {
  #alerts = new Map();
  #list = h('div', { class: 'alert-list' });
  #more;
  #next;

  constructor(state, { alerts, next }, act, scope) {
    this.state = state;
    this.act = act;
    this.scope = scope;
    this.#next = next;
    this.#more = h('button', { type: 'button', class: 'button', onclick: () => this.#load() }, t('alerts.more'));
    this.#title = h('h2', { id: `alerts-${state}` });
    this.element = h('section', { 'aria-labelledby': `alerts-${state}` }, this.#title, this.#list, this.#more);
    for (const alert of alerts) this.#alerts.set(alert.id, { alert, card: undefined });
    this.#arrange();
  }

  #title;

  get size() {
    return this.#alerts.size;
  }

  put(alert) {
    this.#alerts.get(alert.id)?.card?.remove();
    this.#alerts.set(alert.id, { alert, card: undefined });
    this.#arrange();
  }

  drop(id) {
    const known = this.#alerts.get(id);
    if (!known) return;
    known.card?.remove();
    this.#alerts.delete(id);
    this.#arrange();
  }

  #arrange() {
    const closed = this.state === 'closed';
    const order = (a, b) =>
      (closed ? 0 : GRAVITY[a.alert.severity] - GRAVITY[b.alert.severity]) || b.alert.started - a.alert.started;
    const sorted = [...this.#alerts.values()].sort(order);
    for (const { alert } of sorted.splice(MOST_CLOSED)) this.#alerts.delete(alert.id);
    sorted.forEach((one, at) => {
      one.card ??= alertCard(one.alert, this.act, this.scope.signal);
      if (this.#list.children[at] !== one.card) this.#list.insertBefore(one.card, this.#list.children[at] ?? null);
    });
    while (this.#list.children.length > sorted.length) this.#list.lastElementChild.remove();
    this.#title.textContent = t(`alerts.title.${this.state}`, { n: sorted.length });
    setHidden(this.element, sorted.length === 0);
    setHidden(this.#more, this.#next === undefined || sorted.length >= MOST_CLOSED);
  }

  async #load() {
    try {
      const query = { state: this.state, limit: PAGE, cursor: this.#next };
      const { alerts, next } = await api('/alerts', { query, signal: this.scope.signal });
      this.#next = next;
      for (const alert of alerts)
        if (!this.#alerts.has(alert.id)) this.#alerts.set(alert.id, { alert, card: undefined });
      this.#arrange();
    } catch (error) {
      if (!this.scope.over) toastError(error);
    }
  }
}
