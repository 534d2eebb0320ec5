import { t } from '../t.js';
import { h, setText } from './dom.js';

const LOOK = { online: 'good', silent: 'wait', offline: 'bad' };

/** `online`, `silent` or `offline`: a word and a shape, not a colour alone. */
export function statePill() {
  return h('span', { class: 'pill' });
}

export function setStatePill(pill, state) {
  setText(pill, t(`state.${state}`));
  pill.dataset.state = LOOK[state];
}

/** How grave an alert is. */
export const severityPill = (severity) =>
  h('span', { class: 'severity', 'data-severity': severity }, t(`severity.${severity}`));
