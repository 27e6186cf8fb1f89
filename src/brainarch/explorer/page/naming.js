/** @import {Cube} from "./cube.js" */
/** @import {Entry, Spot} from "./types.js" */
import { codesLayer, valuesLayer } from "./layer.js";
import { decide, fitRidge } from "./ridge.js";

/** @typedef {Spot & {name: number}} Named  `name` is an index into the names */

const MARGIN_STOPS = ["#12294A", "#1F4E82", "#3F7FB5", "#8FB8D8", "#D6E4F0", "#FFFFFF"];

/**
 * Fit names to the representation of clicked places.
 *
 * @param {Named[]} spots
 * @param {number} count  of names
 * @param {Map<number, Cube>} cubes  by slice
 * @returns {ReturnType<typeof fitRidge>|null}  null unless two names have a place
 */
export function fitNames(spots, count, cubes) {
  const rows = [];
  const names = [];
  for (const { z, y, x, name } of spots) {
    const cube = cubes.get(z);
    const place = cube ? cube.placeAt(y, x) : -1;
    if (!cube || place < 0) continue;
    rows.push(cube.direction(place));
    names.push(name);
  }
  return new Set(names).size < 2 ? null : fitRidge(rows, names, count);
}

/**
 * At how many places of a slice names are those of its annotated areas.
 *
 * @param {Cube} cube
 * @param {Uint8Array} codes  of the names, on the cube's grid
 * @param {Entry[]} names
 * @param {{at: (y: number, x: number) => string}} areas  tells the title of the area at a pixel
 * @returns {{right: number, annotated: number}}
 */
export function countRight(cube, codes, names, areas) {
  let [right, annotated] = [0, 0];
  for (let i = 0; i < cube.n; i++) {
    const title = areas.at(cube.y[i], cube.x[i]);
    if (!title) continue;
    annotated++;
    if (names[codes[cube.elements[i]] - 1]?.title === title) right++;
  }
  return { right, annotated };
}

/**
 * Give every place of a slice its name; names without a place are nowhere.
 *
 * @param {Cube} cube
 * @param {NonNullable<ReturnType<typeof fitNames>>} fitted
 * @param {Named[]} spots
 * @param {Entry[]} legend
 */
export function paintNames(cube, fitted, spots, legend) {
  const used = [...new Set(spots.map(({ name }) => name))].sort((a, b) => a - b);
  const scores = used.map((name) => {
    const sums = cube.project(fitted.weights[name]);
    for (let i = 0; i < sums.length; i++) sums[i] += fitted.intercepts[name];
    return sums;
  });
  const { names, margins } = decide(scores);
  const codes = new Uint8Array(cube.grid.size);
  const sure = new Uint8Array(cube.grid.size);
  for (let i = 0; i < cube.n; i++) {
    codes[cube.elements[i]] = used[names[i]] + 1;
    sure[cube.elements[i]] = 1 + Math.round(254 * Math.min(1, margins[i]));
  }
  const about = { group: "Clicks", grid: cube.grid };
  return {
    codes,
    named: codesLayer({ ...about, key: "named", title: "Your names" }, codes, legend),
    margin: valuesLayer(
      { ...about, key: "margin", title: "Lead of your names" },
      sure,
      MARGIN_STOPS,
      1,
      { note: "how far the best name is ahead of the second; 1 is as sure as a clicked place" },
    ),
  };
}
