/** Corners, at most: the API takes no more. */
export const MOST = 32;
const STEPS_BACK = 100;

const within = (share) => Math.min(1, Math.max(0, Math.round(share * 1e4) / 1e4));

/** A polygon that is being drawn: corners as shares of the picture, and the way back. Knows nothing of the screen. */
export class Polygon {
  points;
  #past = [];

  /** @param points [[x, y], ...], shares of the picture */
  constructor(points = []) {
    this.points = points.map(([x, y]) => [x, y]);
  }

  get canUndo() {
    return this.#past.length > 0;
  }

  /** @param at before which corner; default: at the end @returns whether there was room */
  add([x, y], at = this.points.length) {
    if (this.points.length >= MOST) return false;
    this.remember();
    this.points = this.points.toSpliced(at, 0, [within(x), within(y)]);
    return true;
  }

  /** One move that is undone at once begins with `remember`. */
  move(at, [x, y]) {
    this.points = this.points.with(at, [within(x), within(y)]);
  }

  remove(at) {
    this.remember();
    this.points = this.points.toSpliced(at, 1);
  }

  /** A corner in the middle of the longest side; a square where there is no side yet. @returns whether there was room */
  addSomewhere() {
    if (this.points.length < 3) {
      this.remember();
      this.points = [
        [0.3, 0.3],
        [0.7, 0.3],
        [0.7, 0.8],
        [0.3, 0.8],
      ];
      return true;
    }
    const lengths = this.points.map((point, at) => Math.hypot(...[0, 1].map((i) => this.#after(at)[i] - point[i])));
    const at = lengths.indexOf(Math.max(...lengths));
    return this.add(this.middle(at), at + 1);
  }

  /** Between a corner and the next. */
  middle(at) {
    const [a, b] = [this.points[at], this.#after(at)];
    return [(a[0] + b[0]) / 2, (a[1] + b[1]) / 2];
  }

  clear() {
    this.remember();
    this.points = [];
  }

  /** What comes next can be undone to here. */
  remember() {
    this.#past = [...this.#past, this.points].slice(-STEPS_BACK);
  }

  undo() {
    this.points = this.#past.at(-1) ?? this.points;
    this.#past = this.#past.slice(0, -1);
  }

  #after(at) {
    return this.points[(at + 1) % this.points.length];
  }
}
