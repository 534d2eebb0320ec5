import { Plot } from './chart.js';
import { changeWords } from './decision.js';

const LANE = 17;
const TOP = 8;
const MOST_LEFT = 104;

/** A lane for each point and rate in use, a mark for each frame in its lane, a tick where frames change lanes. */
export class Lanes extends Plot {
  #lanes = [];

  /**
   * Items have {lane: index, change, see changes(), where the lane is another than before}.
   * @param lanes {name, colour: CSS variable}, top first
   */
  updateLanes(lanes, items, label) {
    if (lanes.length !== this.#lanes.length) this.canvas.style.height = `${TOP + lanes.length * LANE + 4}px`;
    this.#lanes = lanes;
    this.update(items, label);
  }

  /** What the widest name takes, px. */
  leftFor(lanes) {
    const c = this.canvas.getContext('2d');
    c.font = `12px ${getComputedStyle(this.canvas).fontFamily}`;
    return Math.min(MOST_LEFT, Math.ceil(Math.max(36, ...lanes.map(({ name }) => c.measureText(name).width))) + 10);
  }

  paint(c, area, colour) {
    const step = this.step(area);
    const bottom = TOP + this.#lanes.length * LANE;
    c.textAlign = 'right';
    c.textBaseline = 'middle';
    this.#lanes.forEach(({ name }, i) => {
      const y = TOP + i * LANE;
      c.fillStyle = colour('--grid');
      c.fillRect(area.left, y + LANE / 2, area.right - area.left, 1);
      c.fillStyle = colour('--quiet');
      c.fillText(name, area.left - 7, y + LANE / 2 + 1, area.left - 8);
    });
    const at = (i) => area.right - (this.items.length - i) * step;
    c.fillStyle = colour('--quiet');
    this.items.forEach((item, i) => {
      if (item.change) tick(c, at(i), bottom);
    });
    this.items.forEach((item, i) => {
      c.globalAlpha = this.isAside(item) ? 0.45 : 1;
      c.fillStyle = colour(this.#lanes[item.lane].colour);
      c.fillRect(at(i), TOP + item.lane * LANE + 3, Math.max(1, step), LANE - 6);
    });
    c.globalAlpha = 1;
    const change = this.cursorItem()?.change;
    this.canvas.title = change ? changeWords(change) : '';
  }
}

function tick(c, x, bottom) {
  c.globalAlpha = 0.5;
  c.fillRect(Math.round(x) - 0.5, 2, 1, bottom - 2);
  c.globalAlpha = 1;
  c.beginPath();
  c.moveTo(x - 3.5, 0);
  c.lineTo(x + 3.5, 0);
  c.lineTo(x, 6);
  c.fill();
}
