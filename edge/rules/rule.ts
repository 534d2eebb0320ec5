import { DeepcodError } from '../../platform/errors.js';
import type { RuleSettings } from './types.js';

/** Rules, at most. */
export const RULES = 500;

/** What people must say of a rule; the rest has defaults. */
export type RuleDraft = Pick<RuleSettings, 'name' | 'type' | 'seconds'> & Partial<RuleSettings>;

/** Fills in what was left out. @throws DeepcodError `rule_invalid` */
export function completeRule(draft: RuleDraft): RuleSettings {
  if (draft.type === 'count' && draft.above === undefined) {
    throw new DeepcodError(
      'rule_invalid',
      'above: missing; a rule of type count needs it',
      'Say how many are too many.',
    );
  }
  if (draft.type !== 'count' && draft.above !== undefined) {
    throw new DeepcodError('rule_invalid', `above: ${draft.above}; only rules of type count have it`, 'Leave it out.');
  }
  return {
    enabled: true,
    cameras: [],
    labels: [],
    min_score: 0,
    severity: 'warning',
    schedule: [],
    cooldown_s: 60,
    notify: [],
    ...draft,
  };
}
