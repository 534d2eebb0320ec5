/** Element by id. */
export const $ = (id) => document.getElementById(id);

/** Makes an element: `h('li', { class: 'x', onclick: f }, 'text', child)`. Text is text: nothing is parsed as HTML. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(
    ...children.flat().filter((child) => child !== undefined && child !== null && child !== false && child !== ''),
  );
  return element;
}

/** Changes text only when it differs: screen readers and layout are left alone otherwise. */
export function setText(element, value) {
  if (element.textContent !== value) element.textContent = value;
}

export function setHidden(element, hidden) {
  if (element.hidden !== hidden) element.hidden = hidden;
}

/** A number with a smaller unit. */
export function amount([number, unit]) {
  return unit ? [number, h('span', { class: 'unit' }, `\u202f${unit}`)] : [number];
}

/** Replaces children only when `key` differs from the last one. */
export function refill(element, key, make) {
  if (element.dataset.key === key) return;
  element.dataset.key = key;
  element.replaceChildren(...make());
}
