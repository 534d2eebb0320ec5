/**
 * Many things, one stop of the Tab key: arrow keys go between them, by what lies where; Home and End to the first and last.
 * @param container holds them @param selector of what gets the focus
 */
export function roving(container, selector, signal) {
  const all = () => [...container.querySelectorAll(selector)];
  const settle = (chosen) => {
    for (const one of all()) one.tabIndex = one === chosen ? 0 : -1;
  };
  container.addEventListener('focusin', ({ target }) => target.matches(selector) && settle(target), { signal });
  container.addEventListener(
    'keydown',
    (event) => {
      if (!event.target.matches(selector)) return;
      const next = neighbour(event.key, event.target, all());
      if (!next) return;
      event.preventDefault();
      next.focus();
    },
    { signal },
  );
  return {
    /** After things came or went: one of them is the stop. */
    update() {
      const things = all();
      if (!things.some((one) => one.tabIndex === 0) || things.filter((one) => one.tabIndex === 0).length > 1)
        settle(things.find((one) => one === document.activeElement) ?? things[0]);
    },
  };
}

function neighbour(key, from, all) {
  const at = all.indexOf(from);
  if (key === 'Home') return all[0];
  if (key === 'End') return all.at(-1);
  if (key === 'ArrowRight') return all[at + 1];
  if (key === 'ArrowLeft') return all[at - 1];
  if (key !== 'ArrowDown' && key !== 'ArrowUp') return undefined;
  const here = from.getBoundingClientRect();
  const down = key === 'ArrowDown';
  const rows = all
    .map((one) => ({ one, area: one.getBoundingClientRect() }))
    .filter(({ area }) => (down ? area.top > here.top + 4 : area.top < here.top - 4));
  const distance = ({ area }) => Math.abs(area.top - here.top) * 10 + Math.abs(area.left - here.left);
  return rows.sort((a, b) => distance(a) - distance(b))[0]?.one;
}
