/** @import {GridShape} from "./types.js" */
import { Grid } from "./grid.js";

/** Places that are summed at a time. */
const BLOCK = 2048;

/** The rounded representation of a slice: unit u at place i is scale[u] * units[u * n + i]. */
export class Cube {
  /**
   * @param {GridShape} shape
   * @param {Uint8Array} extracted  of every element of the grid, whether it is a place
   * @param {Uint8Array} units  unit after unit, places in raster order
   * @param {number[]} scale
   */
  constructor(shape, extracted, units, scale) {
    this.grid = new Grid(shape);
    this.units = units;
    this.scale = scale;
    /** Place of every element of the grid, or -1. */
    this.placeOf = new Int32Array(this.grid.size).fill(-1);
    /** @type {number[]} */
    const elements = [];
    for (let index = 0; index < extracted.length; index++) {
      if (extracted[index]) this.placeOf[index] = elements.push(index) - 1;
    }
    this.n = elements.length;
    this.elements = Int32Array.from(elements);
    this.y = Int32Array.from(elements, (index) => this.grid.yOf(index));
    this.x = Int32Array.from(elements, (index) => this.grid.xOf(index));
    this.lengths = this.#measureLengths();
  }

  #measureLengths() {
    const sums = new Float64Array(this.n);
    for (let u = 0; u < this.scale.length; u++) {
      const square = this.scale[u] ** 2;
      if (square === 0) continue;
      const start = u * this.n;
      for (let i = 0; i < this.n; i++) sums[i] += square * this.units[start + i] ** 2;
    }
    return sums.map(Math.sqrt);
  }

  /**
   * The place whose square holds a pixel, or -1.
   *
   * @param {number} y
   * @param {number} x
   */
  placeAt(y, x) {
    const index = this.grid.indexAt(y, x);
    return index < 0 ? -1 : this.placeOf[index];
  }

  /**
   * The representation at a place, of unit length (all zero where it is zero).
   *
   * @param {number} place
   */
  direction(place) {
    const length = this.lengths[place] || 1;
    return Float64Array.from(
      this.scale,
      (step, u) => (step * this.units[u * this.n + place]) / length,
    );
  }

  /**
   * Weighted sum of unit-length units at every place: with a direction, the cosine to it.
   *
   * @param {ArrayLike<number>} weights
   */
  project(weights) {
    const sums = new Float64Array(this.n);
    const { n, units } = this;
    // a block of places at a time, whose sums stay in the processor's nearest cache
    for (let from = 0; from < n; from += BLOCK) {
      const to = Math.min(n, from + BLOCK);
      for (let u = 0; u < this.scale.length; u++) {
        const weight = weights[u] * this.scale[u];
        if (weight === 0) continue;
        const start = u * n;
        for (let i = from; i < to; i++) sums[i] += weight * units[start + i];
      }
    }
    for (let i = 0; i < n; i++) sums[i] /= this.lengths[i] || 1;
    return sums;
  }
}

/**
 * The mean of directions, of unit length: what places are compared with after several clicks.
 *
 * @param {Float64Array[]} directions
 */
export function meanDirection(directions) {
  const mean = new Float64Array(directions[0].length);
  for (const direction of directions) {
    for (let u = 0; u < mean.length; u++) mean[u] += direction[u];
  }
  const length = Math.hypot(...mean) || 1;
  return mean.map((value) => value / length);
}

/**
 * Cosines as 8-bit grey levels: 0 is 0 or less, 255 is 1.
 *
 * @param {Float64Array} cosines
 */
export function greyLevels(cosines) {
  return Uint8Array.from(cosines, (value) => Math.round(255 * Math.min(1, Math.max(0, value))));
}
