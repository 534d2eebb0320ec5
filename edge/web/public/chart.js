/**
 * Stacked bars, one for each frame, on a canvas: axes with units, a cursor for pointer and keyboard. The figures are also
 * in tables beside it, for those who do not see the canvas.
 */
export class Bars {
  #canvas;
  #readout;
  #options;
  #bars = [];
  #cursor = null;
  #queued = false;

  /**
   * @param options {unit(value) -> [number, unit], scale: smallest top of the axis, title,
   *   read(bar) -> sentence for the readout}
   */
  constructor(canvas, readout, options) {
    this.#canvas = canvas;
    this.#readout = readout;
    this.#options = options;
    new ResizeObserver(() => this.#soon()).observe(canvas);
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => this.#soon());
    canvas.addEventListener('pointermove', (event) => this.#point(event));
    canvas.addEventListener('pointerleave', () => this.#set(null));
    canvas.addEventListener('blur', () => this.#set(null));
    canvas.addEventListener('keydown', (event) => this.#key(event));
  }

  /** @param bars oldest first: {frame, parts: [{colour: CSS variable, value}], hollow} @param label for screen readers */
  update(bars, label) {
    this.#bars = bars;
    this.#canvas.setAttribute('aria-label', label);
    this.#soon();
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
    const width = this.#canvas.clientWidth;
    const height = this.#canvas.clientHeight;
    return { width, height, left: 46, right: width - 4, top: 20, bottom: height - 22 };
  }

  #step({ left, right }) {
    return (right - left) / Math.max(40, this.#bars.length);
  }

  #set(cursor) {
    this.#cursor = cursor;
    this.#readout.setAttribute('aria-live', document.activeElement === this.#canvas ? 'polite' : 'off');
    this.#soon();
  }

  #point(event) {
    const area = this.#area();
    const fromRight = Math.floor((area.right - event.offsetX) / this.#step(area));
    const at = this.#bars.length - 1 - fromRight;
    this.#set(at >= 0 && at < this.#bars.length && fromRight >= 0 ? this.#bars[at].key : null);
  }

  #key(event) {
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -1000, End: 1000 };
    if (!(event.key in moves)) return;
    event.preventDefault();
    const now = this.#bars.findIndex((bar) => bar.key === this.#cursor);
    const from = now < 0 ? this.#bars.length : now;
    const to = Math.max(0, Math.min(this.#bars.length - 1, from + moves[event.key]));
    this.#set(this.#bars[to]?.key ?? null);
  }

  #draw() {
    const canvas = this.#canvas;
    const area = this.#area();
    if (area.width === 0) return;
    const ratio = Math.min(3, globalThis.devicePixelRatio || 1);
    const [w, h] = [Math.round(area.width * ratio), Math.round(area.height * ratio)];
    if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
    const c = canvas.getContext('2d');
    c.setTransform(ratio, 0, 0, ratio, 0, 0);
    c.clearRect(0, 0, area.width, area.height);
    const style = getComputedStyle(canvas);
    const colour = (name) => style.getPropertyValue(name);
    c.font = `12px ${style.fontFamily}`;

    const sums = this.#bars.map((bar) => bar.parts.reduce((sum, part) => sum + part.value, 0));
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
    c.fillText(`${unit} per frame`, 2, 7);

    const step = this.#step(area);
    const gap = step > 5 ? 1 : 0;
    this.#bars.forEach((bar, i) => {
      const x = area.right - (this.#bars.length - i) * step;
      let base = 0;
      c.globalAlpha = this.#cursor !== null && bar.key !== this.#cursor ? 0.45 : 1;
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
    const first = this.#bars[0];
    const last = this.#bars.at(-1);
    if (last) {
      c.textAlign = 'right';
      c.fillText(`frame ${last.frame}`, area.right, area.height - 6);
      c.textAlign = 'left';
      const x = area.right - this.#bars.length * step;
      if (area.right - x > 160)
        c.fillText(this.#bars.length > 1 ? `${first.frame}` : '', Math.max(area.left, x), area.height - 6);
    }
    const bar = this.#bars.find((b) => b.key === this.#cursor);
    const words = bar ? this.#options.read(bar) : this.#options.summary();
    if (this.#readout.textContent !== words) this.#readout.textContent = words;
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
