import { h, setHidden, setText } from '../parts/dom.js';
import { Frame } from '../parts/frame.js';
import { setStatePill, statePill } from '../parts/pills.js';
import { link } from '../router.js';
import { site } from '../site.js';
import { t } from '../t.js';

/** One camera of the grid: picture with boxes, name, state, what is to be seen, and whether there is an alert. */
export class Tile {
  #frame;
  #pill = statePill();
  #found = h('span', { class: 'tile-found' });
  #alerts = h('span', { class: 'tile-alerts', hidden: true });

  constructor(name, looker, scope) {
    this.name = name;
    this.#frame = new Frame(name, scope);
    this.element = h(
      'li',
      { class: 'tile' },
      this.#frame.canvas,
      h(
        'div',
        { class: 'tile-head' },
        h('h2', {}, h('a', { class: 'tile-link', href: link('camera', [name]), tabindex: '-1' }, name)),
        this.#pill,
      ),
      h('p', { class: 'tile-foot' }, this.#found, this.#alerts),
    );
    looker.watch(name, this.element, (next) => setText(this.#found, this.#frame.show(next)));
  }

  update(camera) {
    const state = site.stateOf(camera);
    this.element.classList.toggle('away', state !== 'online');
    setStatePill(this.#pill, state);
    const alerts = site.openAlerts(camera.name);
    const grave = ['critical', 'warning', 'info'].find((severity) => alerts.some((one) => one.severity === severity));
    if (grave) this.element.dataset.alert = grave;
    else delete this.element.dataset.alert;
    setHidden(this.#alerts, alerts.length === 0);
    setText(this.#alerts, t('live.alerts', { n: alerts.length }));
  }

  redraw() {
    this.#frame.redraw();
  }

  close(looker) {
    looker.unwatch(this.name);
    this.#frame.close();
    this.element.remove();
  }
}
