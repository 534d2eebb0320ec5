import { api } from '../api.js';
import { h, setHidden, setText } from '../parts/dom.js';
import { bytes, text } from '../parts/format.js';
import { icon } from '../parts/icon.js';
import { load } from '../parts/load.js';
import { wishes, wishNotifications } from '../parts/notify.js';
import { timeOf } from '../parts/time.js';
import { toast } from '../parts/toast.js';
import { logOut, mayChange, session } from '../session.js';
import { t } from '../t.js';

const LIMITS = { days: 36_500, megabytes: 10_000_000, snapshot_days: 36_500, snapshot_megabytes: 10_000_000 };

/** How long what is kept, where it lies, where alerts go, and what this browser does. */
export function settingsView(_route, scope) {
  const kept = h('div', {});
  const { signal } = scope;
  load(
    kept,
    async () => {
      const [status, retention] = await Promise.all(
        ['/status', '/settings/retention'].map((path) => api(path, { signal })),
      );
      return { status, retention };
    },
    ({ status, retention }) => [retentionForm(retention, scope), storage(status), channels(status)],
    scope,
  );
  return {
    title: t('nav.settings'),
    element: h(
      'div',
      { class: 'settings' },
      h('div', { class: 'view-head' }, h('h1', {}, t('nav.settings'))),
      kept,
      browser(),
      account(),
    ),
  };
}

const section = (title, ...content) => h('section', { class: 'panel' }, h('h2', {}, title), ...content);

function retentionForm(retention, scope) {
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  const save = h('button', { type: 'submit', class: 'button main' }, t('settings.save'));
  const fields = Object.entries(LIMITS).map(([name, max]) =>
    h(
      'label',
      { class: 'field' },
      h('span', {}, t(`settings.${name}`)),
      h('input', {
        type: 'number',
        name,
        value: retention[name],
        min: '1',
        max,
        step: '1',
        required: true,
        readonly: !mayChange(),
      }),
    ),
  );
  const submit = async (event) => {
    event.preventDefault();
    save.disabled = true;
    setHidden(problem, true);
    const body = Object.fromEntries([...new FormData(form)].map(([name, value]) => [name, Number(value)]));
    try {
      await api('/settings/retention', { method: 'PUT', body, signal: scope.signal });
      toast(t('settings.saved'));
    } catch (error) {
      if (scope.over) return;
      setText(problem, error.words ?? error.message);
      setHidden(problem, false);
    }
    save.disabled = false;
  };
  const form = h(
    'form',
    { class: 'stack-form', onsubmit: submit },
    h('div', { class: 'field-row' }, fields),
    problem,
    mayChange() ? h('p', { class: 'actions' }, save) : h('p', { class: 'quiet' }, t('settings.read_only')),
  );
  return section(t('settings.retention'), h('p', { class: 'quiet' }, t('settings.retention_words')), form);
}

function storage(status) {
  const { database, timescale, snapshots, snapshot_bytes, oldest, failing, dropped, waiting } = status;
  const rows = [
    [t('settings.database'), t(timescale ? 'settings.database.timescale' : `settings.database.${database}`)],
    [t('settings.size'), status.bytes === undefined ? '–' : text(bytes(status.bytes))],
    [t('settings.snapshots'), t('settings.snapshots_words', { n: snapshots, size: text(bytes(snapshot_bytes)) })],
    [t('settings.oldest'), oldest === undefined ? t('settings.nothing_yet') : timeOf(oldest)],
    [t('settings.waiting'), t('count', { n: waiting })],
    [t('settings.lost'), t('count', { n: dropped })],
  ];
  return section(t('settings.storage'), failing && h('p', { class: 'problem' }, failing), facts(rows));
}

function channels({ notify, outbox }) {
  const rows = Object.entries(notify).map(([target, on]) => [
    t(`rules.target_name.${target}`),
    t(on ? 'settings.set_up' : 'settings.not_set_up'),
  ]);
  return section(
    t('settings.channels'),
    facts([...rows, [t('settings.outbox'), t('count', { n: outbox })]]),
    h('p', { class: 'quiet' }, t('settings.channels_words')),
  );
}

const facts = (rows) =>
  h(
    'dl',
    { class: 'facts' },
    rows.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))),
  );

/** Sound and messages are this browser's, and off until somebody asks for them here. */
function browser() {
  const check = (words, on, change) => {
    const box = h('input', { type: 'checkbox', checked: on });
    box.addEventListener('change', () => change(box));
    return h('label', { class: 'check' }, box, h('span', {}, words));
  };
  return section(
    t('settings.browser'),
    check(t('settings.sound'), wishes.sound, (box) => {
      wishes.sound = box.checked;
    }),
    check(t('settings.notification'), wishes.notification, async (box) => {
      if (await wishNotifications(box.checked)) return;
      box.checked = false;
      toast(t('settings.notification_refused'));
    }),
  );
}

function account() {
  const words = session.login
    ? t('settings.who', { name: session.name, role: t(`role.${session.role}`) })
    : t('settings.nobody');
  const leave =
    session.login &&
    h(
      'p',
      { class: 'actions' },
      h('button', { type: 'button', class: 'button', onclick: logOut }, icon('leave'), t('settings.log_out')),
    );
  return section(t('settings.account'), h('p', {}, words), leave);
}
