import { t } from '../t.js';

/**
 * A canvas with one place for each frame, the newest at the right: a cursor for pointer and keyboard, and a readout. What
 * is in the places is drawn by the kinds below. The figures are also in tables and lists, for those who do not see them.
 */
export class Plot {
  canvas;
  items = [];
  /** Width of what stands left of the places, px: charts above each other have the same. */
  left = 46;
  #readout;
  #options;
  #cursor = null;
  #queued = false;
  #follower = null;

  /** @param options {read(item) -> sentence for the readout, summary() -> sentence while there is no cursor} */
  constructor(canvas, readout, options) {
    this.canvas = canvas;
    this.#readout = readout;
    this.#options = options;
    canvas.addEventListener('pointermove', (event) => this.#point(event));
    canvas.addEventListener('pointerleave', () => this.#set(null));
    canvas.addEventListener('blur', () => this.#set(null));
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  /** Draws again when its place or the colours change. @param signal ends that */
  listen(signal) {
    const observer = new ResizeObserver(() => this.#soon());
    observer.observe(this.canvas);
    signal.addEventListener('abort', () => observer.disconnect());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#soon(), { signal });
  }

  /** @param items oldest first: {key, frame, ...} @param label for screen readers */
  update(items, label) {
    this.items = items;
    this.canvas.setAttribute('aria-label', label);
    this.#soon();
  }

  /** The other plot shows the cursor of this one. */
  leads(other) {
    this.#follower = other;
  }

  /** Whether an item is not where the cursor is, while there is one. */
  isAside(item) {
    return this.#cursor !== null && item.key !== this.#cursor;
  }

  cursorItem() {
    return this.items.find((item) => item.key === this.#cursor);
  }

  step({ left, right }) {
    return (right - left) / Math.max(40, this.items.length);
  }

  #soon() {
    if (this.#queued) return;
    this.#queued = true;
    requestAnimationFrame(() => {
      this.#queued = false;
      this.#draw();
    });
  }

  #area() {
    const { clientWidth: width, clientHeight: height } = this.canvas;
    return { width, height, left: this.left, right: width - 4 };
  }

  #set(cursor) {
    this.#show(cursor);
    this.#follower?.#show(cursor);
  }

  #show(cursor) {
    this.#cursor = cursor;
    this.#readout.setAttribute('aria-live', document.activeElement === this.canvas ? 'polite' : 'off');
    this.#soon();
  }

  #point(event) {
    const area = this.#area();
    const fromRight = Math.floor((area.right - event.offsetX) / this.step(area));
    const at = this.items.length - 1 - fromRight;
    this.#set(at >= 0 && at < this.items.length && fromRight >= 0 ? this.items[at].key : null);
  }

  #key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -1000, End: 1000 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const now = this.items.findIndex((item) => item.key === this.#cursor);
    const from = now < 0 ? this.items.length : now;
    const to = Math.max(0, Math.min(this.items.length - 1, from + moves[event.key]));
    this.#set(this.items[to]?.key ?? null);
  }

  #draw() {
    const { canvas } = this;
    const area = this.#area();
    if (area.width === 0) return;
    const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
    const [w, h] = [Math.round(area.width * ratio), Math.round(area.height * ratio)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const c = canvas.getContext('2d');
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, area.width, area.height);
    const style = getComputedStyle(canvas);
    c.font = `12px ${style.fontFamily}`;
    this.paint(c, area, (name) => style.getPropertyValue(name));
    const item = this.cursorItem();
    const words = item ? this.#options.read(item) : this.#options.summary();
    if (this.#readout.textContent !== words) this.#readout.textContent = words;
  }
}

/** Stacked bars, one for each frame, with an axis that has a unit. */
export class Bars extends Plot {
  #options;

  /**
   * @param options as for Plot, and {unit(value) -> [number, unit], tick(value, top) -> text, scale: smallest top of the
   *   axis}; items have parts: [{colour: CSS variable, value}]
   */
  constructor(canvas, readout, options) {
    super(canvas, readout, options);
    this.#options = options;
  }

  paint(c, { width, height, left, right }, colour) {
    const area = { width, height, left, right, top: 20, bottom: height - 22 };
    const bars = this.items;
    const sums = bars.map((bar) => bar.parts.reduce((sum, part) => sum + part.value, 0));
    const { ticks, top } = axis(Math.max(this.#options.scale, ...sums));
    const y = (value) => area.bottom - ((area.bottom - area.top) * value) / top;

    c.textBaseline = 'middle';
    c.textAlign = 'right';
    const [, unit] = this.#options.unit(top);
    for (const tick of ticks) {
      c.strokeStyle = colour('--grid');
      c.beginPath();
      c.moveTo(area.left, Math.round(y(tick)) + 0.5);
      c.lineTo(area.right, Math.round(y(tick)) + 0.5);
      c.stroke();
      c.fillStyle = colour('--quiet');
      c.fillText(tick === 0 ? '0' : this.#options.tick(tick, top), area.left - 7, y(tick));
    }
    c.textAlign = 'left';
    c.fillText(t('charts.per_frame', { unit }), 2, 7);

    const step = this.step(area);
    const gap = step > 5 ? 1 : 0;
    bars.forEach((bar, i) => {
      const x = area.right - (bars.length - i) * step;
      let base = 0;
      c.globalAlpha = this.isAside(bar) ? 0.45 : 1;
      for (const part of bar.parts) {
        if (part.value <= 0) continue;
        c.fillStyle = colour(part.colour);
        c.fillRect(x, y(base + part.value), Math.max(1, step - gap), y(base) - y(base + part.value));
        base += part.value;
      }
    });
    c.globalAlpha = 1;

    c.fillStyle = colour('--quiet');
    c.textBaseline = 'alphabetic';
    const first = bars[0];
    const last = bars.at(-1);
    if (last) {
      c.textAlign = 'right';
      c.fillText(t('charts.frame', { frame: String(last.frame) }), area.right, area.height - 6);
      c.textAlign = 'left';
      const x = area.right - bars.length * step;
      if (area.right - x > 160)
        c.fillText(bars.length > 1 ? `${first.frame}` : '', Math.max(area.left, x), area.height - 6);
    }
  }
}

/** Round numbers from 0 to above the largest value. */
export function axis(largest) {
  const rough = Math.max(largest, 1e-9) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((s) => s >= rough);
  const ticks = [];
  for (let i = 0; i * step < largest + step; i++) ticks.push(i * step);
  return { ticks, top: ticks.at(-1) };
}
