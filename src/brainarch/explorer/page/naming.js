/** @import {Slice} from "./slice.js" */
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
 * @param {Slice[]} slices
 * @returns {ReturnType<typeof fitRidge>|null}  null unless two names have a place
 */
export function fitNames(spots, count, slices) {
  const rows = [];
  const names = [];
  for (const { z, y, x, name } of spots) {
    const cube = slices.find((slice) => slice.z === z)?.cube;
    const place = cube ? cube.placeAt(y, x) : -1;
    if (!cube || place < 0) continue;
    rows.push(cube.direction(place));
    names.push(name);
  }
  return new Set(names).size < 2 ? null : fitRidge(rows, names, count);
}

/**
 * Give every place of a slice its name; names without a place are nowhere.
 *
 * @param {Slice} slice
 * @param {NonNullable<ReturnType<typeof fitNames>>} fitted
 * @param {Named[]} spots
 * @param {Entry[]} legend
 */
export function paintNames(slice, fitted, spots, legend) {
  const { cube } = slice;
  if (!cube) return null;
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
