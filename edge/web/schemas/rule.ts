import {
  amount,
  cameraName,
  count,
  flag,
  id,
  type Json,
  label,
  list,
  object,
  placeName,
  text,
  time,
  word,
} from './build.js';

const clock: Json = {
  type: 'string',
  pattern: '^([01]\\d|2[0-3]):[0-5]\\d$',
  description: 'HH:MM, the edge’s local time',
};

const fields = {
  name: { type: 'string', minLength: 1, maxLength: 100 },
  enabled: flag(),
  type: word(
    ['presence', 'count', 'no_helmet'],
    'presence: one of `labels` is there; count: more than `above`; no_helmet: a bare head',
  ),
  cameras: list(cameraName, { maxItems: 1000, description: 'empty: all' }),
  labels: list(label, { maxItems: 64, description: 'classes that count; empty: all (no_helmet: head)' }),
  zone: placeName,
  seconds: { type: 'number', minimum: 0, maximum: 86_400, description: 'it must hold for so long' },
  above: { type: 'integer', minimum: 0, maximum: 100_000, description: 'count: more than so many' },
  min_score: { type: 'number', minimum: 0, maximum: 1, description: 'weaker detections do not count' },
  severity: word(['info', 'warning', 'critical']),
  schedule: list(
    object({
      days: list({ type: 'integer', minimum: 0, maximum: 6 }, { minItems: 1, maxItems: 7, description: '0: Sunday' }),
      from: clock,
      to: { ...clock, description: 'not after `from`: until then on the next day' },
    }),
    { maxItems: 32, description: 'when it watches; empty: always' },
  ),
  cooldown_s: {
    type: 'integer',
    minimum: 0,
    maximum: 604_800,
    description: 'seconds from the end of an alert to the next',
  },
  notify: list(word(['mqtt', 'webhook', 'email']), { maxItems: 3, uniqueItems: true }),
};
const optional = [
  'enabled',
  'cameras',
  'labels',
  'zone',
  'above',
  'min_score',
  'severity',
  'schedule',
  'cooldown_s',
  'notify',
];

export const ruleSchemas: Json[] = [
  { $id: 'RuleDraft', description: 'a rule to be; what is left out has a default', ...object(fields, optional) },
  { $id: 'Rule', ...object({ id, ...fields, updated: time() }, ['zone', 'above']) },
  {
    $id: 'Alert',
    ...object(
      {
        id,
        rule: object({ id, name: text(100) }),
        camera: cameraName,
        severity: word(['info', 'warning', 'critical']),
        message: text(500, 'what happened, as a sentence'),
        zone: placeName,
        labels: list(label),
        count: count('most at one time'),
        score: amount('best score'),
        started: time(),
        ended: time('when it no longer held; absent while it does'),
        state: word(['open', 'acknowledged', 'closed']),
        by: text(64, 'who acknowledged or closed it'),
        changed: time('when its state changed'),
        note: text(1000),
        event: { ...id, description: 'the event that set it off' },
        snapshot: flag('whether /alerts/{id}/snapshot has a picture'),
      },
      ['zone', 'ended', 'by', 'note', 'event'],
    ),
  },
  { $id: 'AlertPage', ...object({ alerts: list({ $ref: 'Alert#' }), next: text(200) }, ['next']) },
];
