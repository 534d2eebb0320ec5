/**
 * Boxes that passed the score threshold, before suppression. Grows as needed, in flat arrays.
 * Corners, not centre and size: suppression compares corners.
 */
export class Candidates {
  length = 0;
  /** Four numbers per box: left, top, right, bottom, input pixels. */
  corners = new Float64Array(4 * 64);
  scores = new Float64Array(64);
  classes = new Int32Array(64);

  /** Adds a box by centre and size, input pixels. Boxes that are not finite or have no area are left out. */
  add(cx: number, cy: number, width: number, height: number, score: number, cls: number): void {
    const left = cx - width / 2;
    const top = cy - height / 2;
    const right = cx + width / 2;
    const bottom = cy + height / 2;
    if (!(right > left && bottom > top && Number.isFinite(right - left) && Number.isFinite(bottom - top))) return;
    const i = this.length;
    if (i === this.scores.length) this.#grow();
    this.corners[4 * i] = left;
    this.corners[4 * i + 1] = top;
    this.corners[4 * i + 2] = right;
    this.corners[4 * i + 3] = bottom;
    this.scores[i] = score;
    this.classes[i] = cls;
    this.length = i + 1;
  }

  #grow(): void {
    const copy = <T extends Float64Array | Int32Array>(from: T, to: T): T => {
      to.set(from);
      return to;
    };
    this.corners = copy(this.corners, new Float64Array(2 * this.corners.length));
    this.scores = copy(this.scores, new Float64Array(2 * this.scores.length));
    this.classes = copy(this.classes, new Int32Array(2 * this.classes.length));
  }
}
