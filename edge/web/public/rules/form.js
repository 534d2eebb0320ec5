import { h, setHidden, setText } from '../parts/dom.js';
import { t } from '../t.js';
import { HoursList } from './hours.js';
import { ruleWords } from './words.js';

const TYPES = ['no_helmet', 'presence', 'count'];
const SEVERITIES = ['info', 'warning', 'critical'];
const TARGETS = ['mqtt', 'webhook', 'email'];

/** A new rule, before anybody said anything. */
export const blank = {
  name: '',
  enabled: true,
  type: 'no_helmet',
  cameras: [],
  labels: [],
  seconds: 3,
  min_score: 0.5,
  severity: 'warning',
  schedule: [],
  cooldown_s: 60,
  notify: [],
};

/**
 * The sentence of a rule with blanks to fill in; below it stands as it will read.
 * @param rule as the API has it @param known {cameras, labels, zones, notify: {mqtt, webhook, email}}
 * @param on {save(draft) => Promise, cancel()}
 */
export function ruleForm(rule, known, on) {
  const field = (name, control, hint) =>
    h(
      'label',
      { class: 'field', 'data-field': name },
      h('span', {}, t(`rules.field.${name}`)),
      control,
      hint && h('span', { class: 'quiet small' }, hint),
    );
  const select = (name, values, chosen, words) =>
    h(
      'select',
      { name },
      values.map((value) => h('option', { value, selected: value === chosen }, words(value))),
    );
  const checks = (name, values, chosen, words, off = () => false) =>
    h(
      'fieldset',
      { class: 'checks', 'data-field': name },
      h('legend', {}, t(`rules.field.${name}`)),
      values.length === 0 && h('p', { class: 'quiet' }, t('rules.nothing_known')),
      values.map((value) =>
        h(
          'label',
          {},
          h('input', { type: 'checkbox', name, value, checked: chosen.includes(value), disabled: off(value) }),
          h('span', {}, words(value)),
        ),
      ),
    );
  const number = (name, value, attributes) =>
    h('input', { type: 'number', name, value: value ?? '', required: true, inputmode: 'decimal', ...attributes });

  const zones = [...new Set(['', ...known.zones, rule.zone ?? ''])];
  const preview = h('p', { class: 'rule-preview', 'aria-live': 'polite' });
  const problem = h('p', { class: 'problem', role: 'alert', hidden: true });
  const save = h('button', { type: 'submit', class: 'button main' }, t('rules.save'));
  const off = (target) => known.notify[target] === false;
  const hours = new HoursList(rule.schedule, () => settle());
  const form = h(
    'form',
    { class: 'stack-form rule-form', onsubmit: submit },
    field(
      'name',
      h('input', { name: 'name', required: true, maxlength: '100', autocomplete: 'off', value: rule.name }),
      t('rules.name_hint'),
    ),
    h(
      'section',
      {},
      h('h3', {}, t('rules.part.when')),
      field(
        'type',
        select('type', TYPES, rule.type, (type) => t(`rules.type.${type}`)),
      ),
      field('above', number('above', rule.above ?? 3, { min: '0', max: '100000', step: '1' })),
      checks('labels', [...new Set([...known.labels, ...rule.labels])], rule.labels, (label) => label),
      field(
        'zone',
        select('zone', zones, rule.zone ?? '', (zone) => zone || t('rules.whole_picture')),
        known.zones.length === 0 && t('rules.no_zones'),
      ),
      checks('cameras', [...new Set([...known.cameras, ...rule.cameras])], rule.cameras, (camera) => camera),
      field('seconds', number('seconds', rule.seconds, { min: '0', max: '86400', step: 'any' })),
    ),
    h(
      'section',
      {},
      h('h3', {}, t('rules.part.times')),
      field(
        'times',
        select('times', ['always', 'own'], rule.schedule.length > 0 ? 'own' : 'always', (one) =>
          t(`rules.times.${one}`),
        ),
      ),
      hours.element,
    ),
    h(
      'section',
      {},
      h('h3', {}, t('rules.part.then')),
      field(
        'severity',
        select('severity', SEVERITIES, rule.severity, (one) => t(`severity.${one}`)),
      ),
      checks(
        'notify',
        TARGETS,
        rule.notify,
        (target) => t(off(target) ? 'rules.not_set_up' : 'plain', { text: t(`rules.target_name.${target}`) }),
        off,
      ),
      field(
        'cooldown_s',
        number('cooldown_s', rule.cooldown_s, { min: '0', max: '604800', step: '1' }),
        t('rules.cooldown_hint'),
      ),
    ),
    preview,
    problem,
    h(
      'p',
      { class: 'actions' },
      save,
      h('button', { type: 'button', class: 'button', onclick: on.cancel }, t('dialog.cancel')),
    ),
  );

  function read() {
    const data = new FormData(form);
    const type = data.get('type');
    const zone = data.get('zone');
    return {
      name: data.get('name').trim(),
      enabled: rule.enabled,
      type,
      cameras: data.getAll('cameras'),
      labels: type === 'no_helmet' ? rule.labels : data.getAll('labels'),
      ...(zone !== '' && { zone }),
      seconds: Number(data.get('seconds')),
      ...(type === 'count' && { above: Number(data.get('above')) }),
      min_score: rule.min_score,
      severity: data.get('severity'),
      schedule: data.get('times') === 'own' ? hours.read() : [],
      cooldown_s: Number(data.get('cooldown_s')),
      notify: data.getAll('notify'),
    };
  }

  function settle() {
    const draft = read();
    form.dataset.type = draft.type;
    hours.on = form.elements.times.value === 'own';
    const above = form.elements.above;
    above.disabled = draft.type !== 'count';
    setText(preview, ruleWords(draft));
  }

  function tell(words) {
    setText(problem, words);
    setHidden(problem, words === '');
  }

  async function submit(event) {
    event.preventDefault();
    const draft = read();
    if (draft.schedule.some(({ days }) => days.length === 0)) return tell(t('rules.no_days'));
    tell('');
    save.disabled = true;
    try {
      await on.save(draft);
    } catch (error) {
      if (error.name === 'AbortError') return;
      tell(error.words ?? error.message);
      save.disabled = false;
    }
  }

  form.addEventListener('input', settle);
  settle();
  return form;
}
