/** @import {GridShape} from "./types.js" */

/** Pixels of a slice at which a map or cube has values. */
export class Grid {
  /** @param {GridShape} shape */
  constructor({ y0, x0, step, rows, columns }) {
    this.y0 = y0;
    this.x0 = x0;
    this.step = step;
    this.rows = rows;
    this.columns = columns;
  }

  get size() {
    return this.rows * this.columns;
  }

  /**
   * The element nearest to a pixel, or -1 if the pixel lies beyond the grid.
   *
   * @param {number} y
   * @param {number} x
   */
  indexAt(y, x) {
    const row = Math.floor((y - this.y0) / this.step + 0.5);
    const column = Math.floor((x - this.x0) / this.step + 0.5);
    if (row < 0 || column < 0 || row >= this.rows || column >= this.columns) return -1;
    return row * this.columns + column;
  }

  /** @param {number} index */
  yOf(index) {
    return this.y0 + Math.floor(index / this.columns) * this.step;
  }

  /** @param {number} index */
  xOf(index) {
    return this.x0 + (index % this.columns) * this.step;
  }

  /**
   * The rectangle that the elements cover, in pixels of the slice whose corner is (0, 0): an
   * element covers a square of one step round the middle of its pixel.
   */
  box() {
    return {
      x: this.x0 + 0.5 - this.step / 2,
      y: this.y0 + 0.5 - this.step / 2,
      width: this.columns * this.step,
      height: this.rows * this.step,
    };
  }
}
