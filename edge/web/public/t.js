import strings from './strings/en.js';

export const { locale } = strings;
const plural = new Intl.PluralRules(locale);
const whole = new Intl.NumberFormat(locale);

/**
 * A text of the page in the reader's language. `{name}` is replaced; where a text has forms by number (`one`, `other`, ...),
 * `n` chooses.
 * @param {string} key of strings/en.js; an unknown one is shown as it is, and found by the tests
 * @param {Record<string, string | number>} values numbers are written as the language does
 */
export function t(key, values = {}) {
  const found = strings[key];
  const text = typeof found === 'object' ? (found[plural.select(values.n)] ?? found.other) : found;
  if (text === undefined) return key;
  return text.replace(/\{(\w+)\}/g, (_, name) => {
    const value = values[name];
    return typeof value === 'number' ? whole.format(value) : String(value ?? '');
  });
}

/** Whether there is such a text. */
export const has = (key) => Object.hasOwn(strings, key);
