/** @import {Cube} from "./cube.js" */
/** @import {Found} from "./types.js" */

/**
 * The most similar places whose patches share no pixel with each other or with those left out.
 *
 * Places are taken in the order of their cosines, at equal cosines in raster order.
 *
 * @param {Cube} cube
 * @param {Float64Array} cosines  of every place
 * @param {{y: number, x: number}[]} leftOut  pixels of this slice
 * @param {number} patch  side of a patch in pixels
 * @param {number} count
 * @returns {Found[]}  without z, which the caller knows
 */
export function nearestPlaces(cube, cosines, leftOut, patch, count) {
  const taken = [...leftOut];
  /** @type {Found[]} */
  const found = [];
  const open = new Uint8Array(cube.n).fill(1);
  for (const spot of taken) closeRound(cube, open, spot, patch);
  while (found.length < count) {
    let best = -1;
    for (let i = 0; i < cube.n; i++) {
      if (open[i] && (best < 0 || cosines[i] > cosines[best])) best = i;
    }
    if (best < 0) break;
    const spot = { z: -1, y: cube.y[best], x: cube.x[best], score: cosines[best] };
    found.push(spot);
    closeRound(cube, open, spot, patch);
  }
  return found;
}

/**
 * @param {Cube} cube
 * @param {Uint8Array} open
 * @param {{y: number, x: number}} spot
 * @param {number} patch
 */
function closeRound(cube, open, spot, patch) {
  const { grid, placeOf } = cube;
  const low = Math.max(0, Math.floor((spot.y - patch - grid.y0) / grid.step));
  const high = Math.min(grid.rows, Math.ceil((spot.y + patch - grid.y0) / grid.step) + 1);
  for (let element = low * grid.columns; element < high * grid.columns; element++) {
    const i = placeOf[element];
    if (i < 0) continue;
    if (Math.abs(cube.y[i] - spot.y) < patch && Math.abs(cube.x[i] - spot.x) < patch) open[i] = 0;
  }
}
